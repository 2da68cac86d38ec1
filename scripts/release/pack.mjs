import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Packs what was built: the server for this platform, the chart, whatever has a script `pack:…` (which takes npm
 * pack's own options), the bill of materials, and the sums of them all. Returns their names.
 */
export function pack(tree, version, out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  // The server has programs of the platform in it.
  const server = `service-discovery-server-${version}-${process.platform}-${process.arch}.tar.gz`;
  archive(join(out, server), tree, 'dist/bundle', `service-discovery-${version}`);
  // As Helm names it.
  archive(join(out, `service-discovery-${version}.tgz`), tree, 'helm/service-discovery', 'service-discovery');
  const { scripts } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'));
  for (const script of Object.keys(scripts).filter((name) => name.startsWith('pack:')))
    execFileSync('npm', ['run', script, '--', '--pack-destination', out], { cwd: tree, stdio: 'inherit' });
  copyFileSync(join(tree, 'dist/bundle/sbom.cdx.json'), join(out, `service-discovery-${version}.cdx.json`));

  const files = readdirSync(out).sort();
  const sums = files.map((file) => `${sha256(join(out, file))}  ${file}\n`);
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
  return [...files, 'SHA256SUMS'];
}

/** The same bytes for the same content, by GNU tar, whenever and by whomever it is made. */
function archive(file, tree, folder, name) {
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX', '--mtime=@0'];
  const as = ['--transform', `s,^\\.,${name},S`];
  const options = ['--create', '--use-compress-program=gzip -n', ...same, ...as, '--directory', join(tree, folder)];
  execFileSync('tar', [...options, '--file', file, '.']);
}

function sha256(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
