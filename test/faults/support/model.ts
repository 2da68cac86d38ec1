import type { Shown } from './reader.js';
import type { Write } from './steps.js';
import type { Outcome } from './writes.js';

/** Seconds, of instances that live by heartbeats: the smallest there is. */
export const TTL = 5;
/** How far clocks and the order of two answers may be apart. */
const SLACK_MS = 100;

/** What is known of an instance. Undefined: nobody can say. */
interface Known {
  readonly there?: boolean;
  readonly tag?: string;
  readonly maintained?: boolean;
  /** Until then its lease cannot have ended. */
  readonly until: number;
}

const GONE: Known = { there: false, until: Infinity };

export function isMortal({ id }: Pick<Write, 'id'>): boolean {
  return id.startsWith('m');
}

/** What a registry must say after all that it has acknowledged. */
export class Model {
  private readonly known = new Map<string, Known>();

  /** Takes what came of a write that was begun then. What cannot be, it answers with. */
  apply(write: Write, outcome: Outcome, begun: number, now: number): string[] {
    const key = `${write.service}/${write.id}`;
    const before = this.at(key, now);
    if (outcome === 'refused') return [];
    if (outcome === 'missing') {
      this.known.set(key, GONE);
      const surely = before.there === true;
      return surely || write.kind === 'register' ? [`${write.kind} of ${key} found nothing`] : [];
    }
    const until = isMortal(write) ? begun + 1_000 * TTL - SLACK_MS : Infinity;
    const after = this.after(write, before, until);
    this.known.set(key, outcome === 'done' ? after : either(before, after));
    return [];
  }

  /** What an answer that came between these times shows and must not, or lacks. */
  differences(shown: Shown, now: number): string[] {
    return [...this.known.keys()].flatMap((key) => {
      const { there, tag, maintained } = this.at(key, now);
      const found = shown.get(key);
      if (there === undefined) return [];
      if (!there) return found ? [`${key} is there and has gone`] : [];
      if (!found) return [`${key} is lost`];
      return [
        ...(tag === undefined || found.tags[0] === tag ? [] : [`${key} is ${found.tags[0]} and not ${tag}`]),
        ...(maintained === undefined || (found.status === 'maintenance') === maintained
          ? []
          : [`${key} is ${found.status} and maintenance ${maintained}`]),
      ];
    });
  }

  private at(key: string, now: number): Known {
    const known = this.known.get(key) ?? GONE;
    return known.there && now > known.until ? { until: known.until } : known;
  }

  private after({ kind, tag }: Write, before: Known, until: number): Known {
    const stays = { ...before, until: Math.max(before.until, until) };
    switch (kind) {
      case 'register':
        return { there: true, tag, maintained: before.there === false ? false : before.maintained, until };
      case 'deregister':
        return GONE;
      // Another server may take one for an instance that has just gone: it brings nothing back.
      case 'renew':
        return before.there ? stays : before;
      case 'patch':
        return { ...before, there: true, tag };
      case 'maintain':
        return { ...before, there: true, maintained: true };
      case 'release':
        return { ...before, there: true, maintained: false };
    }
  }
}

/** One of both, and nobody can say which. */
function either(one: Known, other: Known): Known {
  return {
    ...(one.there === other.there && { there: one.there }),
    ...(one.tag === other.tag && { tag: one.tag }),
    ...(one.maintained === other.maintained && { maintained: one.maintained }),
    until: Math.min(one.until, other.until),
  };
}
