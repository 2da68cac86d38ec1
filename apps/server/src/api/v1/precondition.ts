import type { FastifyRequest } from 'fastify';
import { BackendError, keyText, type InstanceKey, type Version } from '#core';
import type { Catalog } from '#catalog';
import { etagOf, matchesStrongly } from '../../answers/etag.js';
import { Problem } from '../../http/problem.js';
import { presentInstance } from './presenters/instance.js';

/**
 * Writes if the instance is still as its caller has seen it: as `If-Match` says, with the ETag that reading it gave.
 *
 * @param write Called with the version that it must find; undefined: any.
 * @throws Problem 412.
 */
export async function ifMatch<T>(
  { headers: { 'if-match': header } }: FastifyRequest,
  catalog: Catalog,
  key: InstanceKey,
  write: (ifVersion: Version | undefined) => Promise<T>,
): Promise<T> {
  if (header === undefined) return write(undefined);
  // Our view may be behind the replica that was read from.
  if (versionThatMatches(header, catalog, key) === undefined) await catalog.refresh();
  const version = versionThatMatches(header, catalog, key);
  if (version === undefined) throw failed(key);
  try {
    return await write(version);
  } catch (error) {
    throw error instanceof BackendError && error.code === 'CONFLICT' ? failed(key) : error;
  }
}

function versionThatMatches(header: string, catalog: Catalog, key: InstanceKey): Version | undefined {
  const entry = catalog.get(key);
  if (!entry) return undefined;
  const shown = { success: true, data: presentInstance(entry, { vitals: false }) };
  return matchesStrongly(header, etagOf(JSON.stringify(shown))) ? entry.instance.version : undefined;
}

function failed(key: InstanceKey): Problem {
  return new Problem(412, 'PRECONDITION_FAILED', `${keyText(key)} is not as If-Match says: read it again`);
}
