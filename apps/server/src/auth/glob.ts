/** Whether a text is as a pattern has it, in which `*` stands for any characters, or none. Linear in the text for each star. */
export type Glob = (text: string) => boolean;

export function glob(pattern: string): Glob {
  if (pattern === '*') return () => true;
  const [first = '', ...others] = pattern.split('*');
  const last = others.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    // The first place that fits leaves the most to what follows.
    for (const part of others) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
