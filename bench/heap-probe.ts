import { getHeapSpaceStatistics } from 'node:v8';

// Goes with `--import` and `--expose-gc` into what is measured: when it is signalled, it tells of what its heap consists.

/** Bytes. */
export interface HeapParts {
  /** Where everything new is put; V8 takes all of it in turn. */
  readonly young: number;
  readonly old: number;
  /** Of these, what is left by a collection. */
  readonly live: number;
}

process.on('SIGUSR2', () => {
  const { young, old } = sizes();
  globalThis.gc!();
  const live = getHeapSpaceStatistics().reduce((sum, { space_used_size: used }) => sum + used, 0);
  process.send!({ young, old, live } satisfies HeapParts);
});

function sizes(): { young: number; old: number } {
  const sum = { young: 0, old: 0 };
  for (const { space_name: name, physical_space_size: size } of getHeapSpaceStatistics())
    sum[name.startsWith('new_') ? 'young' : 'old'] += size;
  return sum;
}
