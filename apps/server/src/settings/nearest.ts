/** The candidate that takes the fewest insertions, deletions and replacements (Levenshtein 1966), at most so many. */
export function nearest(name: string, candidates: readonly string[], atMost = Infinity): string | undefined {
  const distances = candidates.map((candidate) => ({ candidate, distance: distance(name, candidate) }));
  const [first] = distances.sort((a, b) => a.distance - b.distance);
  return first && first.distance <= atMost ? first.candidate : undefined;
}

function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
