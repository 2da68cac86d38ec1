/** Resolves after so many milliseconds, or as soon as the signal aborts. Keeps no process alive. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    // A browser's timer is a number.
    if (typeof timer === 'object') timer.unref();
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Half of it to all of it, so that many do not come back together. */
export function jittered(ms: number): number {
  return ms * (0.5 + Math.random() / 2);
}
