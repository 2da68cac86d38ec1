import type { Fault } from './fault.js';
import type { Fleet } from './fleet.js';
import type { Read } from './reader.js';
import { FIXED, SILENT } from './trial.js';

/** Twice the 5 s that it takes at most, and more: the machine may be busy. */
const STALE_MS = 12_000;
/** How far clocks and the order of two answers may be apart. */
const SLACK_MS = 50;

export interface Times {
  readonly begun: number;
  /** When the registry began to come back. */
  readonly ending: number;
  /** When the registry was back. */
  readonly ended: number;
  readonly converged: number;
}

/** What was wrong with the answers that a reader got. */
export function violationsOf(fault: Fault, fleet: Fleet, reads: readonly Read[], times: Times): string[] {
  const during = reads.filter(({ begun, ended }) => begun > times.begun && ended < times.ending);
  return [
    ...reads.filter(({ status }) => status !== 200).map(({ status }) => `a read was answered ${status}`),
    ...reads.filter(fleetIsWhole(fault, times)).flatMap((read) => lacking(read, fleet.members)),
    ...reads.filter(fixedAreThere(fault, times)).flatMap((read) => lacking(read, FIXED)),
    ...(fault.outage
      ? [...during.flatMap((read) => lacking(read, [SILENT])), ...late(during, times), ...ages(during)]
      : []),
  ];
}

/** Those who say that they live are missing in no answer, but until they have registered anew where they were lost. */
function fleetIsWhole({ loses, endsLeases, hold }: Fault, times: Times): (read: Read) => boolean {
  const hidden = loses === 'everything' && hold !== undefined;
  if (hidden || (loses !== 'everything' && !endsLeases)) return () => true;
  return ({ begun, ended }) => ended < times.begun || begun > times.converged;
}

function fixedAreThere({ loses, hold }: Fault, times: Times): (read: Read) => boolean {
  if (loses !== 'everything') return () => true;
  const until = hold === undefined ? times.begun : times.ended + 1_000 * hold;
  return ({ ended }) => ended < until;
}

function lacking({ status, shown, source }: Read, wanted: readonly string[]): string[] {
  if (status !== 200) return [];
  return wanted.filter((key) => !shown.has(key)).map((key) => `${key} was missing while ${source}`);
}

/** Live although the registry had been away for long. */
function late(during: readonly Read[], { begun }: Times): string[] {
  return during
    .filter((read) => read.source === 'live' && read.begun > begun + STALE_MS)
    .map((read) => `live ${Math.round(read.begun - begun)} ms after the registry went`);
}

/** A stale answer tells its age, and that grows with the time. */
function ages(during: readonly Read[]): string[] {
  const stale = during.filter(({ status, source }) => status === 200 && source !== 'live');
  return stale.flatMap((read, i) => {
    const before = stale[i - 1];
    const atLeast = before ? before.ageMs + (read.begun - before.ended) - SLACK_MS : 0;
    return read.ageMs >= atLeast ? [] : [`an age of ${read.ageMs} ms, and not ${Math.round(atLeast)}`];
  });
}
