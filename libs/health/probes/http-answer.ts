import { loadField, type HealthStatus, type JsonObject, type JsonValue, type ProbeResult } from '#core';
import { clipped } from '../text.js';
import type { HttpAnswer } from './http-client.js';

const MAX_DATA_BYTES = 4_096;

/** What instances say in the `status` of a JSON answer, in any case; other words say nothing. */
const WORDS: ReadonlyMap<string, HealthStatus> = new Map(
  Object.entries({
    passing: ['passing', 'pass', 'healthy', 'ok', 'up'],
    warning: ['warning', 'warn', 'degraded'],
    critical: ['critical', 'fail', 'error', 'unhealthy', 'down', 'out_of_service'],
  }).flatMap(([status, words]) => words.map((word) => [word, status as HealthStatus] as const)),
);

/** What an answer says of the instance. The code decides; what a 2xx says in JSON can only make it worse. */
export function judged(what: string, { statusCode, location, text }: HttpAnswer): ProbeResult {
  const said = jsonObject(text);
  const load = loadField.safeParse(said?.load_percentage);
  const redirect = statusCode >= 300 && statusCode < 400 ? ` redirects to ${location}, which is not followed` : '';
  return {
    status: ofCode(statusCode) ?? ofWord(said?.status),
    output: clipped(`${what}: ${statusCode}${redirect}${text === '' ? '' : `\n${text}`}`),
    ...(load.success && { loadPercentage: load.data }),
    ...(said && { data: bounded(said) }),
  };
}

/** undefined for 2xx, which is for its content to say. */
function ofCode(statusCode: number): HealthStatus | undefined {
  if (statusCode >= 200 && statusCode < 300) return undefined;
  return statusCode === 429 ? 'warning' : 'critical';
}

function ofWord(word: JsonValue | undefined): HealthStatus {
  return (typeof word === 'string' ? WORDS.get(word.toLowerCase()) : undefined) ?? 'passing';
}

function jsonObject(text: string): JsonObject | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
}

/** The members that fit, in their order. */
function bounded(members: JsonObject): JsonObject {
  let left = MAX_DATA_BYTES - 2;
  return Object.fromEntries(
    Object.entries(members).filter((member) => {
      const size = sizeOf(member);
      if (size > left) return false;
      left -= size;
      return true;
    }),
  );
}

function sizeOf(member: [name: string, value: JsonValue]): number {
  try {
    return Buffer.byteLength(JSON.stringify(member));
  } catch {
    return Infinity; // nested deeper than the stack
  }
}
