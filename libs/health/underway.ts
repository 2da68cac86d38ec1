/** What has been begun and must have ended before everything is closed. */
export class Underway {
  private readonly promises = new Set<Promise<unknown>>();

  /** Passes the promise on; a rejection is for whoever else waits for it. */
  add<T>(promise: Promise<T>): Promise<T> {
    this.promises.add(promise);
    const done = () => this.promises.delete(promise);
    promise.then(done, done);
    return promise;
  }

  /** Resolves when nothing is under way, what is begun meanwhile included. */
  async ended(): Promise<void> {
    while (this.promises.size > 0) await Promise.allSettled(this.promises);
  }
}
