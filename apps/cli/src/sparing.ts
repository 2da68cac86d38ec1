/** An outage is told again after so long. */
const TELL_AGAIN_MS = 60_000;

/** Each attempt that fails in an outage says the same. */
export function sparing(say: (text: string) => void): (error: Error) => void {
  let told = -Infinity;
  return ({ message }) => {
    if (performance.now() - told < TELL_AGAIN_MS) return;
    told = performance.now();
    say(`${message}; trying again`);
  };
}
