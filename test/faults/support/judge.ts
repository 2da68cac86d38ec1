import type { Fleet } from './fleet.js';
import type { Read } from './reader.js';

/** They have no lease: no silence ends them, and they never register again. */
export const FIXED = ['fixed/1', 'fixed/2', 'fixed/3', 'fixed/4'];
/** Stops to say that it lives when the fault begins. */
export const SILENT = 'silent/1';

/** Twice the 5 s that it takes at most, and more: the machine may be busy. */
const STALE_MS = 12_000;
/** How far clocks and the order of two answers may be apart. */
const SLACK_MS = 50;

/** What a fault may do to the answers. */
export interface Leave {
  /** The server loses sight of its registry. */
  readonly outage: boolean;
  /** What the registry had acknowledged. */
  readonly loses?: 'everything' | 'the last writes';
  /** Leases may end on account of it: the registry keeps them by itself. */
  readonly endsLeases?: boolean;
  /** MASS_LOSS_HOLD, seconds; by default nothing is held. */
  readonly hold?: number;
}

export interface Times {
  readonly begun: number;
  /** When the registry began to come back. */
  readonly ending: number;
  /** When the registry was back. */
  readonly ended: number;
  readonly converged: number;
}

/** What was wrong with the answers that a reader got. */
export function violationsOf(fault: Leave, fleet: Fleet, reads: readonly Read[], times: Times): string[] {
  const during = reads.filter(({ begun, ended }) => begun > times.begun && ended < times.ending);
  const whole = reads.filter(({ begun, ended }) => !mayLose(fault) || ended < times.ending || begun > times.converged);
  const fixed = fault.loses === 'everything' ? reads.filter(({ ended }) => ended < lossesShow(fault, times)) : reads;
  return [
    ...reads.filter(({ status }) => status !== 200).map(({ status }) => `a read was answered ${status}`),
    ...whole.flatMap((read) => lacking(read, fleet.members)),
    ...(fault.hold === undefined ? [] : reads.flatMap((read) => emptied(read, fleet.members))),
    ...fixed.flatMap((read) => lacking(read, FIXED)),
    ...(fault.outage
      ? [...during.flatMap((read) => lacking(read, [SILENT])), ...late(during, times), ...ages(during)]
      : []),
  ];
}

/** Of those who say that they live, some may be missing until they have registered anew. */
function mayLose({ loses, endsLeases }: Leave): boolean {
  return loses === 'everything' || endsLeases === true;
}

function lossesShow({ hold, outage }: Leave, { begun, ending }: Times): number {
  return (outage ? ending : begun) + 1_000 * (hold ?? 0);
}

/** Those that were lost before it was known that too many are come back as held. */
function emptied({ status, shown }: Read, members: readonly string[]): string[] {
  const left = members.filter((key) => shown.has(key)).length;
  return status !== 200 || left >= members.length / 2 ? [] : [`${left} of ${members.length} were left`];
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
