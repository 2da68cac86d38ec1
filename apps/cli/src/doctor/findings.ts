/** What can be wrong, and what mends it. */
export const MENDS = {
  'server away': 'Start the server, or correct its URL; look at what is between: names, firewalls, proxies.',
  'wrong credential': 'Bring one that is good there: SERVICE_DISCOVERY_TOKEN, or token or token_file of the profile.',
  'missing right': 'Have a role or rule given to this credential: docs/security.md.',
  'registry away': 'Mend the registry; until then nothing can be registered, and answers are what was last known.',
  'stale view': 'It goes on by itself once the registry answers. What is shown may be gone.',
  'clock skew': 'Set both clocks by NTP. Tokens count as expired, and ages are shown wrongly.',
  'instances held':
    'Find out whether they run: many were lost at once, which looks like a fault of the network. A heartbeat frees one.',
  'TTL below twice the heartbeat':
    'Send heartbeats at least twice in each TTL, three times is usual, or register with a longer one.',
  'guarded probe':
    'Register it with an address that may be probed, or change PROBE_LOOPBACK or PROBE_DENIED_ADDRESSES.',
} as const;

export interface Finding {
  readonly server: string;
  readonly what: keyof typeof MENDS;
  /** What was seen of it. */
  readonly seen: string;
  readonly mend: string;
}

export type Found = (what: keyof typeof MENDS, seen: string) => void;
