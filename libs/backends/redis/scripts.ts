import { createHash } from 'node:crypto';

// What has to happen in Redis at one stroke. The scripts know nothing of what a record says but the version and the
// lease in front of it: what becomes of a record is decided by the transitions in core, and stored here on the
// condition that the version is still the one that was read.

export interface Script {
  readonly source: string;
  readonly sha: string;
  /** Whether it matters if it was run. */
  readonly writes: boolean;
}

/** So many instances at most end in one call: Redis serves nobody else meanwhile. */
export const EXPIRE_AT_ONCE = 100;
/** A tick is written down when the last that was is so old: all replicas together write one a second. */
const TICK_WRITTEN_MS = 1_000;
/** Older than this, and nobody could renew meanwhile. */
const STALL_MS = 3_000;
/** What is kept of the past for replicas that were cut off; longer ago, and they read everything anew. */
const CHANGES_KEPT = 10_000;
const LOAD_CHANGES_KEPT = 1_000;
/** A load is told to the other replicas when it has moved by so much, at most so often. */
const LOAD_STEP = 0.05;
const LOAD_EVERY_MS = 5_000;

const KEYS = `
local registry, instances, leases, heartbeats, loads, changes, load_changes = unpack(KEYS)
`;

// Parts that scripts are made of; each is read at every call, so a script has but those that it needs.

/** Of a record: '' of none, not a number of one that is not ours. */
const VERSION_OF = `
local function version_of(record)
  if not record then return '' end
  return string.match(record, '^{"version":"(%d+)"') or 'unreadable'
end
`;

/**
 * Leases run by Redis's clock, less the time in which nobody ticked: it was away then from all of us. They go on
 * where they stood when another machine with another clock takes over.
 */
const CLOCK = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local saved = redis.call('HMGET', registry, 'ticked', 'paused')
local away, paused = now - (saved[1] or now), tonumber(saved[2] or 0)
if away < 0 or away > ${STALL_MS} then paused = paused + away end
local clock = now - paused
`;

/**
 * Of another history than before (lost, restored, or of a replica that took over and lacks the last writes), the data
 * are another epoch: the log begins anew, and versions above all that can have been given: microseconds.
 */
const CHECK_EPOCH = `
local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
if redis.call('HGET', registry, 'replid') ~= replid then
  local time = redis.call('TIME')
  local last = redis.call('HGET', registry, 'version') or 0
  local first = string.format('%d', math.max(last + 1, time[1] * 1000000 + time[2]))
  redis.call('HSET', registry, 'epoch', first, 'version', first, 'replid', replid)
  redis.call('DEL', changes)
end
`;

const CHANGE = `
local function change(...)
  local version = string.format('%d', redis.call('HINCRBY', registry, 'version', 1))
  redis.call('XADD', changes, 'MAXLEN', '~', ${CHANGES_KEPT}, version .. '-0', ...)
  return version
end
`;

const REMOVE_KEY = `
local function remove(key, cause, actor)
  local version = change('key', key, 'cause', cause, 'actor', actor)
  redis.call('HDEL', instances, key)
  redis.call('HDEL', heartbeats, key)
  redis.call('HDEL', loads, key)
  redis.call('ZREM', leases, key)
  return version
end
`;

/** Every script is given all keys, in the order of `Keys`. */
function script(does: { writes: boolean }, ...parts: readonly string[]): Script {
  return scriptOf(does, [KEYS, ...parts].join(''));
}

export function scriptOf(does: { writes: boolean }, source: string): Script {
  return { ...does, source, sha: createHash('sha1').update(source).digest('hex') };
}

// What all of a batch have in common is done for all at once: that is most of what one costs.

/**
 * For each four arguments: stores a record if the version is still the one that was read, '' for none; with the time
 * of a heartbeat its lease begins anew. → for each: its new version, or [what is stored].
 */
export const PUT = script(
  { writes: true },
  VERSION_OF,
  CHANGE,
  CHECK_EPOCH,
  CLOCK,
  `
local keys, answers = {}, {}
for i = 1, #ARGV, 4 do keys[#keys + 1] = ARGV[i] end
local found = redis.call('HMGET', instances, unpack(keys))
-- By key, as one may be there more than once.
local stored, ends, beats = {}, {}, {}
for n, key in ipairs(keys) do
  local expected, content, beat = unpack(ARGV, 4 * n - 2, 4 * n)
  local current = stored[key] or found[n]
  if version_of(current) ~= expected then
    answers[n] = { current }
  else
    local version = change('key', key)
    stored[key] = '{"version":"' .. version .. '",' .. string.sub(content, 2)
    if beat ~= '' then
      local ttl = string.match(content, '^{"ttl":(%d+)')
      beats[key], ends[key] = beat, ttl and clock + ttl or 'none'
    end
    answers[n] = version
  end
end
local records, begun, leased = {}, {}, {}
for key, record in pairs(stored) do
  records[#records + 1] = key
  records[#records + 1] = record
end
for key, beat in pairs(beats) do
  begun[#begun + 1] = key
  begun[#begun + 1] = beat
  if ends[key] == 'none' then
    redis.call('ZREM', leases, key)
  else
    leased[#leased + 1] = ends[key]
    leased[#leased + 1] = key
  end
end
if #records > 0 then redis.call('HSET', instances, unpack(records)) end
if #begun > 0 then redis.call('HSET', heartbeats, unpack(begun)) end
if #leased > 0 then redis.call('ZADD', leases, unpack(leased)) end
return answers
`,
);

/**
 * For each two arguments a heartbeat: the key, and `at load connections wanted version`, where what is not said is
 * empty, or `at` alone: on condition of the version, if there is one. Tells nobody but by a load that has moved. → for each: its
 * version, or with the record if it is wanted; 0 at another version, null for none.
 */
export const RENEW = script(
  { writes: true },
  VERSION_OF,
  CLOCK,
  `
-- Replicas' clocks differ: what was told by one that is ahead must not keep the others quiet until then.
local function tell_load(key, beat, load, connections)
  local told, at = string.match(redis.call('HGET', loads, key) or '', '^(%S+) (%S+)')
  told, at = tonumber(told), tonumber(at)
  if not told or not at or (math.abs(beat - at) >= ${LOAD_EVERY_MS} and math.abs(load - told) > ${LOAD_STEP} - 1e-9) then
    redis.call('HSET', loads, key, load .. ' ' .. beat .. ' ' .. connections)
    redis.call('XADD', load_changes, 'MAXLEN', '~', ${LOAD_CHANGES_KEPT}, '*', 'key', key)
  end
end
local keys, ends, beats, answers = {}, {}, {}, {}
for i = 1, #ARGV, 2 do keys[#keys + 1] = ARGV[i] end
local records = redis.call('HMGET', instances, unpack(keys))
-- By time to live, of which there are few: to write a number down costs more than to look it up.
local end_after = {}
for n, key in ipairs(keys) do
  local beat, load, connections, wanted, expected = ARGV[2 * n], '', '', '', ''
  if string.find(beat, ' ', 1, true) then
    beat, load, connections, wanted, expected = string.match(beat, '^(%S*) (%S*) (%S*) (%S*) (.*)$')
  end
  local record = records[n]
  local version, ttl = string.match(record or '', '^{"version":"(%d+)","ttl":(%d+)')
  version = version or version_of(record)
  if not tonumber(version) then
    answers[n] = false
  elseif expected ~= '' and version ~= expected then
    answers[n] = 0
  else
    if ttl then
      end_after[ttl] = end_after[ttl] or string.format('%.0f', clock + ttl)
      ends[#ends + 1] = end_after[ttl]
      ends[#ends + 1] = key
    end
    beats[#beats + 1] = key
    beats[#beats + 1] = beat
    if load ~= '' then tell_load(key, beat, load, connections) end
    answers[n] = wanted == '' and version or { version, record }
  end
end
if #ends > 0 then redis.call('ZADD', leases, unpack(ends)) end
if #beats > 0 then redis.call('HSET', heartbeats, unpack(beats)) end
return answers
`,
);

/** Removes, on condition of a version unless that is ''. → the removal's version, 0 at another version, null for none. */
export const REMOVE = script(
  { writes: true },
  VERSION_OF,
  CHANGE,
  REMOVE_KEY,
  `
local key, expected, cause, actor = unpack(ARGV)
local current = redis.call('HGET', instances, key)
if not current then return nil end
if expected ~= '' and version_of(current) ~= expected then return 0 end
${CHECK_EPOCH}
return remove(key, cause, actor)
`,
);

/** → [epoch, version]. */
export const STATE = script(
  { writes: false },
  CHECK_EPOCH,
  "return redis.call('HMGET', registry, 'epoch', 'version')\n",
);

/** Ends leases that have run out; any replica does it for all. → [epoch, version, how many]. */
export const TICK = script(
  { writes: true },
  CHANGE,
  REMOVE_KEY,
  CHECK_EPOCH,
  CLOCK,
  `
if not saved[1] or away < 0 or away >= ${TICK_WRITTEN_MS} then
  redis.call('HSET', registry, 'ticked', now, 'paused', paused)
end
local expired = redis.call('ZRANGEBYSCORE', leases, '-inf', clock, 'LIMIT', 0, ${EXPIRE_AT_ONCE})
for _, key in ipairs(expired) do
  -- Without a record somebody else has removed it.
  remove(key, redis.call('HEXISTS', instances, key) == 1 and 'expired' or 'unknown', 'registry')
end
local state = redis.call('HMGET', registry, 'epoch', 'version')
return { state[1], state[2], #expired }
`,
);

/** Some of all instances, from a cursor on. → [epoch, version, cursor, [key, record…], [heartbeat…], [load…]]. */
export const PAGE = script(
  { writes: false },
  CHECK_EPOCH,
  `
local cursor, count = unpack(ARGV)
local state = redis.call('HMGET', registry, 'epoch', 'version')
local page = redis.call('HSCAN', instances, cursor, 'COUNT', count)
local keys = {}
for i = 1, #page[2], 2 do keys[#keys + 1] = page[2][i] end
if #keys == 0 then return { state[1], state[2], page[1], {}, {}, {} } end
local beats, told = redis.call('HMGET', heartbeats, unpack(keys)), redis.call('HMGET', loads, unpack(keys))
return { state[1], state[2], page[1], page[2], beats, told }
`,
);
