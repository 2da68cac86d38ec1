import { BackendError, type InputIssue } from './errors.js';
import { metadataKeyField, pathField, placeField, protocolField, weightField } from './fields.js';
import { hasActiveCheck, type HealthCheck, type InstanceRecord, type Vitals } from './instance.js';
import type { Actor } from './lifecycle.js';
import { sameValue } from './json.js';
import { LIMITS } from './limits.js';
import type { Heartbeat, InstanceUpdate, Registration } from './registrar.js';

const UTF8 = new TextEncoder();

// What each write makes of a record. Pure, so that every backend means the same by the same word: a
// backend reads a record, asks here what becomes of it, and stores that if nobody was faster.

/**
 * The record that a registration makes: full replacement, but for what outlives one.
 * `registeredAt`, `registeredBy` and maintenance always stay; status stays while address, port and check are the
 * same; with `enableTagOverride`, so do tags that an update has set.
 */
export function registered(
  previous: InstanceRecord | undefined,
  registration: Registration,
  actor: Actor,
  at: number,
): InstanceRecord {
  const { status, check: declaredCheck, ...declared } = registration;
  // A registration says every field of a check that this release knows; those of a newer release stay.
  const check = declaredCheck && { ...previous?.check, ...declaredCheck };
  // The copy comes last: properties that are added to a copy cost V8 ten times as much.
  const record: InstanceRecord = {
    check,
    ...statusAtRegistration(previous, registration, check),
    maintenance: status === 'maintenance' ? { reason: 'registered in maintenance' } : undefined,
    registeredAt: at,
    changed: { cause: 'registered', actor, at },
    ...declared,
  };
  return checked(previous ? { ...record, ...whatStays(previous, record) } : record, previous);
}

function whatStays(previous: InstanceRecord, record: InstanceRecord): Partial<InstanceRecord> {
  const keepTags = record.enableTagOverride === true && previous.tagsOverridden === true;
  return {
    registeredAt: previous.registeredAt,
    registeredBy: previous.registeredBy ?? record.registeredBy,
    maintenance: previous.maintenance ?? record.maintenance,
    ...(keepTags && { tags: previous.tags, tagsOverridden: true }),
    ...(previous.unknownFields && { unknownFields: previous.unknownFields }),
  };
}

/**
 * The status in a body is the first word of whoever will speak of it later: of the probe, where
 * there is one (it would otherwise hold a passing instance down for ever), else of its heartbeats.
 */
function statusAtRegistration(
  previous: InstanceRecord | undefined,
  registration: Registration,
  check: HealthCheck | undefined,
): Pick<InstanceRecord, 'reported' | 'probed'> {
  const said = registration.status === 'maintenance' ? undefined : registration.status;
  const same =
    previous !== undefined &&
    previous.address === registration.address &&
    previous.port === registration.port &&
    sameValue(previous.check, check);
  const kept = { reported: same ? previous.reported : 'passing', probed: same ? previous.probed : undefined } as const;
  if (said === undefined) return kept;
  return hasActiveCheck({ check }) ? { ...kept, probed: said } : { ...kept, reported: said };
}

/** The record after a heartbeat. */
export function renewed(previous: InstanceRecord, heartbeat: Heartbeat, actor: Actor, at: number): InstanceRecord {
  if (heartbeat.status === undefined && heartbeat.metadata === undefined) return previous;
  const reported = heartbeat.status ?? previous.reported;
  const record = {
    ...previous,
    reported,
    metadata: heartbeat.metadata ? mergePatch(previous.metadata, heartbeat.metadata) : previous.metadata,
    changed: { cause: reported === previous.reported ? 'updated' : 'status', actor, at } as const,
  };
  return checked(record, previous);
}

/** What a heartbeat tells beside that; what it does not say is absent. */
export function vitalsOf({ loadPercentage, activeConnections }: Heartbeat, at: number): Vitals {
  return {
    lastHeartbeat: at,
    ...(loadPercentage !== undefined && { loadPercentage, loadAt: at }),
    ...(activeConnections !== undefined && { activeConnections }),
  };
}

/** The record after an update. */
export function updated(previous: InstanceRecord, update: InstanceUpdate, actor: Actor, at: number): InstanceRecord {
  return checked({ ...change(previous, update), changed: { cause: CAUSES[update.kind], actor, at } }, previous);
}

const CAUSES = { patch: 'updated', maintenance: 'maintenance', probe: 'status' } as const;

function change(previous: InstanceRecord, update: InstanceUpdate): InstanceRecord {
  switch (update.kind) {
    case 'patch':
      return {
        ...previous,
        ...(update.tags !== undefined && { tags: update.tags, tagsOverridden: true }),
        ...(update.metadata !== undefined && { metadata: mergePatch(previous.metadata, update.metadata) }),
        ...(update.weight !== undefined && { weight: update.weight ?? undefined }),
      };
    case 'maintenance':
      return { ...previous, maintenance: update.maintenance };
    case 'probe':
      return { ...previous, probed: update.status };
  }
}

/** RFC 7396 on a flat object: null removes. */
function mergePatch(
  target: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const merged = new Map(Object.entries(target));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** Same content, whoever wrote it last: such a write makes no new version and wakes nobody. */
export function sameContent(a: InstanceRecord, b: InstanceRecord): boolean {
  return sameValue({ ...a, changed: b.changed }, b);
}

/** Without absent fields; the previous record, stamp and all, when nothing has changed. */
function checked(record: InstanceRecord, previous: InstanceRecord | undefined): InstanceRecord {
  if (previous && sameContent(previous, record)) return previous;
  const issues = limitIssues(record);
  if (issues.length > 0) throw new BackendError('INVALID', 'the instance would break a limit', { issues });
  return withoutAbsent(record);
}

function withoutAbsent<T extends object>(fields: T): T {
  const present: Partial<T> = {};
  for (const name in fields) if (fields[name] !== undefined) present[name] = fields[name];
  return present as T;
}

const METADATA_ATTRIBUTES = Object.entries({
  weight: { field: weightField, parse: Number },
  region: { field: placeField, parse: String },
  zone: { field: placeField, parse: String },
  protocol: { field: protocolField, parse: String },
  path: { field: pathField, parse: String },
} as const);

/** Limits that hold for the record as a whole, whichever writes have made it. */
function limitIssues(record: InstanceRecord): InputIssue[] {
  const issues: InputIssue[] = [];
  const metadata = Object.entries(record.metadata);
  if (metadata.length > LIMITS.metadataKeys) {
    issues.push({ path: 'metadata', message: `must have at most ${LIMITS.metadataKeys} keys` });
  }
  for (const [key, value] of metadata) {
    const bad = metadataKeyField.safeParse(key).error?.issues[0];
    if (bad) issues.push({ path: `metadata.${key}`, message: `the key ${bad.message}` });
    if (isLonger(value, LIMITS.metadataValueBytes)) {
      issues.push({ path: `metadata.${key}`, message: `must be at most ${LIMITS.metadataValueBytes} bytes` });
    }
  }
  for (const [name, { field, parse }] of METADATA_ATTRIBUTES) {
    const value = record.metadata[name];
    if (value === undefined || record[name as keyof InstanceRecord] !== undefined) continue;
    const bad = field.safeParse(value === '' ? undefined : parse(value)).error?.issues[0];
    if (bad) issues.push({ path: `metadata.${name}`, message: `stands for the instance's ${name}: ${bad.message}` });
  }
  return issues;
}

/** In UTF-8, where a unit of a string takes three bytes at most. */
function isLonger(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && UTF8.encode(text).length > bytes;
}
