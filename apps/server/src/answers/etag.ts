import { createHash } from 'node:crypto';

/** The ETag of an answer with this content. */
export function etagOf(content: string | Buffer): string {
  return `"${createHash('sha1').update(content).digest('base64url')}"`;
}

/** What `If-None-Match` asks (RFC 9110, section 13.1.2). */
export function matchesWeakly(header: string | undefined, etag: string): boolean {
  return header !== undefined && listed(header, (each) => each.replace(/^W\//, '') === etag);
}

/** What `If-Match` asks (RFC 9110, section 13.1.1). */
export function matchesStrongly(header: string, etag: string): boolean {
  return listed(header, (each) => each === etag);
}

function listed(header: string, isIt: (etag: string) => boolean): boolean {
  return header.trim() === '*' || header.split(',').some((each) => isIt(each.trim()));
}
