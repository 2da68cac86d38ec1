import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves once it is so: for what nobody announces. Fails after a while. */
export async function until(isSo: () => boolean | Promise<boolean>, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${isSo.toString()}`);
    await sleep(5);
  }
}
