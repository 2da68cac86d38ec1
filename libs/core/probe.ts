import type { LookupFunction } from 'node:net';
import type { z } from 'zod';
import type { JsonObject } from './json.js';
import type { HealthStatus } from './status.js';

/** What a probe is aimed at. */
export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  /** The instance's own; `http` by default. */
  readonly protocol: string;
  /** As the probe's schema has parsed them. */
  readonly options: JsonObject;
}

export interface ProbeResult {
  /** `warning`: complaining but alive (a 429); it never counts towards critical. */
  readonly status: HealthStatus;
  /** What an operator reads; at most a few kilobytes. */
  readonly output: string;
  /** What the instance says of its own load, 0–1. */
  readonly loadPercentage?: number;
  /** What its answer said, where it was a JSON object: the members that fit. */
  readonly data?: JsonObject;
}

/**
 * Asks one instance how it is. A failure of the instance is a result, not an error, and so is an
 * address that the guard refuses; a rejection means that the probe itself could not be made (bad
 * options, no more file descriptors) and says nothing of the instance. When the signal aborts, which
 * is also the deadline, it settles at once: with a critical result that gives the signal's reason.
 */
export interface HealthProbe {
  probe(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult>;
  /** Ends whatever it keeps open. */
  close?(): Promise<void>;
}

export interface ProbeContext {
  /** Throws with the reason when an operator's rules forbid the address. */
  readonly guard: AddressGuard;
  /** What checks may run, by the names that they give; the operator's list, nothing by default. */
  readonly scripts?: Readonly<Record<string, ScriptCommand>>;
}

/** A program with its arguments as they are: no shell reads them. */
export interface ScriptCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface AddressGuard {
  /** Checks an IP literal. Names are checked by `lookup`, with the very addresses that are connected to. */
  check(address: string): void;
  /** In the shape of `dns.lookup`, for sockets: fails when an address of the name is forbidden. */
  readonly lookup: LookupFunction;
}

/** One line of the list of probes. */
export interface ProbeModule<Options extends z.ZodObject = z.ZodObject> {
  /** The `type` of a health check. */
  readonly type: string;
  readonly summary: string;
  /** A probe takes more of this host than an open connection (a process, say) for as long as it lasts. */
  readonly costly?: boolean;
  /** Its own fields of a health check, in the API's spelling; what it lacks is left out of the record. */
  readonly options: Options;
  /** Why this server would not make such a check, as far as that is known when an instance registers. */
  refusal?(target: Pick<ProbeTarget, 'address' | 'options'>, context: ProbeContext): string | undefined;
  /** Absent: a passive type. Nothing is probed; what the instance says of itself is all there is. */
  create?(context: ProbeContext): HealthProbe;
}
