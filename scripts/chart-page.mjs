// The chart's README: what its values are, from the comments above them.

const INTRODUCTION = `# The chart service-discovery

\`\`\`sh
helm install service-discovery ./helm/service-discovery --set image.tag=latest
helm install service-discovery ./helm/service-discovery --set image.tag=latest \\
  --set config.registry.type=consul --set config.registry.consul.host=consul.default.svc.cluster.local
\`\`\`

It needs Kubernetes 1.30 or newer. What is set wrongly is refused, and named, before anything is installed. [Deployment](../../docs/deployment.md) says how to choose.

| Value | Default | |
| --- | --- | --- |
`;

/** @param {string} values The chart's values.yaml. */
export function chartPage(values) {
  const rows = [];
  const path = [];
  let comment = [];
  for (const line of values.split('\n')) {
    const said = /^ *# (.*)$/.exec(line)?.[1];
    const [, depth, name, value] = /^( *)(\w+):(?: (.*))?$/.exec(line) ?? [];
    if (said !== undefined) comment.push(said);
    else if (name !== undefined) {
      path.length = depth.length / 2;
      path.push(name);
      if (comment.length > 0) rows.push(`| \`${path.join('.')}\` | ${shown(value)} | ${comment.join(' ')} |`);
      comment = [];
    } else if (line === '') comment = [];
  }
  return `${INTRODUCTION}${rows.join('\n')}\n`;
}

/** A value of several lines is read in values.yaml. */
function shown(value) {
  return value === undefined ? 'see `values.yaml`' : value === "''" ? '' : `\`${value}\``;
}
