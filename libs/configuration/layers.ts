import type { JsonObject, JsonValue } from '#core';

export type LayerName = 'base' | 'environment' | 'service';

/** What a layer says, and in which version. */
export interface Layer {
  readonly name: LayerName;
  readonly version: number;
  readonly config: JsonObject;
}

export interface Merged {
  readonly config: JsonObject;
  /** Which layer each value is from, by its JSON pointer (RFC 6901); of an object, each of its members has its own. */
  readonly sources: Readonly<Record<string, LayerName>>;
}

/** Each layer over those before it, as a merge patch (RFC 7396): null removes what they say, arrays are replaced whole. */
export function mergeLayers(layers: readonly Layer[]): Merged {
  let merged: Sourced = emptyObject('base');
  for (const { name, config } of layers) merged = patched(merged, config, name);
  const sources: [string, LayerName][] = [];
  const config = plain(merged, '', sources) as JsonObject;
  return { config, sources: Object.fromEntries(sources) };
}

/** A value, or the members of an object, with the layer that each is from. */
type Sourced =
  | { readonly from: LayerName; readonly value: JsonValue }
  | { readonly from: LayerName; readonly members: ReadonlyMap<string, Sourced> };

function emptyObject(from: LayerName): Sourced & { members: ReadonlyMap<string, Sourced> } {
  return { from, members: new Map() };
}

function patched(target: Sourced | undefined, patch: JsonValue, from: LayerName): Sourced {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return { from, value: patch };
  const before = target && 'members' in target ? target : emptyObject(from);
  const members = new Map(before.members);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) members.delete(key);
    else members.set(key, patched(members.get(key), value, from));
  }
  return { from: before.from, members };
}

function plain(sourced: Sourced, pointer: string, sources: [string, LayerName][]): JsonValue {
  if (!('members' in sourced)) {
    sources.push([pointer, sourced.from]);
    return sourced.value;
  }
  if (sourced.members.size === 0 && pointer !== '') sources.push([pointer, sourced.from]);
  const entries = [...sourced.members].map(([key, member]): [string, JsonValue] => [
    key,
    plain(member, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, sources),
  ]);
  return Object.fromEntries(entries);
}
