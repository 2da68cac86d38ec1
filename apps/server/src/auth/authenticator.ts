import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { AuthenticationScheme, Identity, Presented } from '#core';
import type { Caller } from './caller.js';

/** Callers that are remembered by their credentials, so that a signature, say, is verified once. */
const REMEMBERED = 10_000;

export interface NamedScheme {
  readonly name: string;
  readonly scheme: AuthenticationScheme;
  readonly callerOf: (identity: Identity) => Caller;
}

/** What is known of a request: whose it is, that it brings nothing, or nothing that is good. */
export type Finding = Caller | 'nothing' | 'nobody';

/** A credential that a request has brought. */
interface Offer extends NamedScheme {
  readonly credential: string;
  /** Under which its holder is remembered: no credential is kept. */
  readonly key: string;
}

/** Finds out who asks, by all schemes that are in force. */
export class Authenticator {
  private readonly remembered = new LRUCache<string, Caller>({ max: REMEMBERED });
  private readonly explicit: readonly NamedScheme[];
  private readonly ambient: readonly NamedScheme[];
  /** Called when what was found out before counts no more. */
  onForget: () => void = () => undefined;
  /** How often credentials have come to mean something else. */
  private generation = 0;

  /** @param peers How other replicas are known; no caller is told of it. */
  constructor(
    private readonly schemes: readonly NamedScheme[],
    peers?: NamedScheme,
  ) {
    this.explicit = [...schemes.filter(({ scheme }) => !scheme.ambient), ...(peers ? [peers] : [])];
    this.ambient = schemes.filter(({ scheme }) => scheme.ambient);
  }

  /** What to answer a 401 with. */
  get challenges(): readonly string[] {
    return [...new Set(this.schemes.map(({ scheme }) => scheme.challenge))];
  }

  /**
   * What a request brings itself counts before what comes with its connection, and hides it also when it is not good:
   * nobody is taken for somebody else than they say.
   */
  async find(request: Presented): Promise<Finding> {
    const offers = this.offersOf(request);
    return this.recallFrom(offers) ?? this.identify(offers);
  }

  /** What is known without a look at any credential; undefined: it has to be found out. */
  recall(request: Presented): Caller | 'nothing' | undefined {
    return this.recallFrom(this.offersOf(request));
  }

  /** What was found out before counts no more. */
  forget(): void {
    this.generation++;
    this.remembered.clear();
    this.onForget();
  }

  stop(): void {
    for (const { scheme } of this.schemes) scheme.stop?.();
  }

  private offersOf(request: Presented): Offer[] {
    const offers = offersIn(request, this.explicit);
    return offers.length > 0 ? offers : offersIn(request, this.ambient);
  }

  private recallFrom(offers: readonly Offer[]): Caller | 'nothing' | undefined {
    if (offers.length === 0) return 'nothing';
    const now = Date.now();
    for (const { key } of offers) {
      const caller = this.remembered.get(key);
      if (caller && caller.expiresAt > now) return caller;
    }
    return undefined;
  }

  private async identify(offers: readonly Offer[]): Promise<Finding> {
    const { generation } = this;
    for (const { scheme, credential, key, callerOf } of offers) {
      const identity = await scheme.identify(credential);
      if (!identity) continue;
      const caller = callerOf(identity);
      if (caller.expiresAt <= Date.now()) continue;
      if (generation === this.generation) this.remembered.set(key, caller);
      return caller;
    }
    return 'nobody';
  }
}

function offersIn(request: Presented, schemes: readonly NamedScheme[]): Offer[] {
  const offers: Offer[] = [];
  for (const named of schemes) {
    const credential = named.scheme.credentialIn(request);
    if (credential === undefined) continue;
    const known = offers.find((offer) => offer.credential === credential);
    const digest = known?.key.slice(known.key.indexOf(' ') + 1) ?? hash('sha256', credential, 'hex');
    offers.push({ ...named, credential, key: `${named.name} ${digest}` });
  }
  return offers;
}
