import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, type BackendContext } from '#core';
import { MemoryBackend } from '../backend.js';
import { LevelStore } from '../level-store.js';

export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'service-discovery-'));
}

/** A memory backend on a folder, not yet started. */
export function durable(dataDir: string, context: Partial<BackendContext> = {}): MemoryBackend {
  const stores = { instances: LevelStore.ofInstances(dataDir), configuration: LevelStore.ofConfiguration(dataDir) };
  return new MemoryBackend({ logger: silentLogger, now: Date.now, graceMs: 0, ...context }, stores);
}
