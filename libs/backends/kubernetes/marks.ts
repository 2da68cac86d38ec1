import { LIMITS, metadataKeyField, tagsField } from '#core';
import type { KubernetesObject } from './objects.js';

/** What somebody has written on a Service or a slice for us. */
export interface Marked {
  readonly tags: string;
  readonly port: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

const UTF8 = new TextEncoder();

/**
 * Labels and annotations that begin with our prefix: `PREFIX/tags` (parted by commas), `PREFIX/port` (which
 * one, where there are several), and any other `PREFIX/KEY` is metadata. An annotation goes before a label,
 * the Service before its slice.
 */
export class Marks {
  constructor(private readonly prefix: string) {}

  of(...objects: readonly (KubernetesObject | undefined)[]): Marked {
    const found: Record<string, string> = {};
    for (const object of [...objects].reverse()) {
      this.collect(object?.metadata.labels, found);
      this.collect(object?.metadata.annotations, found);
    }
    const { tags = '', port, ...metadata } = found;
    return { tags, port, metadata: Object.fromEntries(Object.entries(metadata).filter(keeps)) };
  }

  private collect(from: Readonly<Record<string, string>> | undefined, into: Record<string, string>): void {
    const start = `${this.prefix}/`;
    for (const [name, value] of Object.entries(from ?? {})) {
      if (name.startsWith(start)) into[name.slice(start.length)] = value;
    }
  }
}

/** What breaks a limit of ours is left out. */
export function tagsIn(text: string): readonly string[] {
  const tags = text.split(',').map((tag) => tag.trim());
  return tagsField.safeParse(tags.filter((tag) => tag !== '')).data ?? [];
}

function keeps([key, value]: [string, string], index: number): boolean {
  const fits = metadataKeyField.safeParse(key).success && UTF8.encode(value).length <= LIMITS.metadataValueBytes;
  return fits && index < LIMITS.metadataKeys / 2;
}
