/**
 * Orders the states of one instance: a canonical unsigned decimal (no sign, no leading zeros) that
 * grows with every change. etcd's mod revision, Consul's ModifyIndex, Kubernetes' resourceVersion
 * and a counter of our own all have this form, and most outgrow a double, so it stays a string.
 * Of an instance that is not ours it may be the index of the read that found the change, so replicas
 * may differ there.
 */
export type Version = string;

/** Negative when `a` is older than `b`, 0 when they are the same, positive when it is newer. */
export function compareVersions(a: Version, b: Version): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
