interface Group {
  readonly cancels: Set<() => void>;
  readonly abort: () => void;
}

/** What is cancelled with a signal: one that many calls share has one listener for all of them. */
export class Cancellations {
  private readonly groups = new Map<AbortSignal | undefined, Group>();

  /** @returns The way to take it out again. */
  add(signal: AbortSignal | undefined, cancel: () => void): () => void {
    const group = this.groups.get(signal) ?? this.begin(signal);
    group.cancels.add(cancel);
    return () => {
      group.cancels.delete(cancel);
      if (group.cancels.size > 0) return;
      this.groups.delete(signal);
      signal?.removeEventListener('abort', group.abort);
    };
  }

  cancelAll(): void {
    for (const { abort } of [...this.groups.values()]) abort();
  }

  private begin(signal: AbortSignal | undefined): Group {
    const cancels = new Set<() => void>();
    const abort = () => {
      for (const cancel of [...cancels]) cancel();
    };
    const group = { cancels, abort };
    this.groups.set(signal, group);
    signal?.addEventListener('abort', abort);
    return group;
  }
}
