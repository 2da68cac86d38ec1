// With `keepNames` esbuild marks each function and class with the name that it has in its source. A class is marked
// once; a closure at every request that makes it, which was a fifth of what a discovery costs.
import { parseAst } from 'rollup/parseAst';

const MARK = '__name';
/** Constructors are the classes of older sources: errors are told apart by the names of theirs. */
const CONSTRUCTOR = /^[A-Z]/;

/** The source without the marks of functions that make no objects. */
export function classNamesOnly(source) {
  const cuts = [];
  const visit = (node) => {
    if (typeof node !== 'object' || node === null) return;
    if (isNeedless(node)) {
      const [, name] = node.arguments;
      // The brackets stay: an arrow function may stand where it needs them.
      cuts.push([node.start, node.callee.end], [source.lastIndexOf(',', name.start), name.end]);
    }
    for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(source));
  let kept = '';
  let from = 0;
  for (const [start, end] of cuts.sort(([a], [b]) => a - b)) {
    kept += source.slice(from, start);
    from = end;
  }
  return kept + source.slice(from);
}

function isNeedless({ type, callee, arguments: given }) {
  if (type !== 'CallExpression' || callee.name !== MARK) return false;
  const [target, name] = given;
  return target.type !== 'ThisExpression' && !CONSTRUCTOR.test(name.value);
}
