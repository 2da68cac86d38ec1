import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger, type AuthenticationModule, type AuthenticationScheme, type Presented } from '../index.js';

export interface AuthenticationContractOptions {
  readonly module: AuthenticationModule;
  /** Variables of the environment that switch it on, made before each test. */
  readonly environment: () => Promise<Readonly<Record<string, string>>>;
  /** Whom the scheme knows, by name. */
  readonly known: () => Readonly<Record<string, Presented>>;
  /** What brings a credential that is nobody's. */
  readonly unknown: () => readonly Presented[];
  /** What brings none of this scheme. */
  readonly absent: () => readonly Presented[];
}

/** One or more challenges (RFC 9110, section 11.6.1), with parameters in quotes. */
const CHALLENGE = /^[A-Za-z][A-Za-z0-9-]* [a-z_]+="[^"]*"(, [a-z_]+="[^"]*")*$/;
/** No caller can send a longer one. */
const LONGEST = 16_384;

/** What every authentication scheme must do, as the gate sees it. */
export function authenticationContract(options: AuthenticationContractOptions): void {
  const { module, known, unknown, absent } = options;
  describe(`authentication contract: ${module.name}`, () => {
    let scheme: AuthenticationScheme;

    beforeEach(async () => {
      const values = module.options.parse(await options.environment());
      scheme = await module.create(values, { logger: silentLogger, changed: () => undefined });
    });
    afterEach(() => scheme.stop?.());

    async function identify(request: Presented) {
      const credential = scheme.credentialIn(request);
      return credential === undefined ? 'no credential' : await scheme.identify(credential);
    }

    it('has a name that can stand before the identity, and a summary', () => {
      expect(module.name).toMatch(/^[a-z][a-z0-9-]{1,49}$/);
      expect(module.summary.length).toBeGreaterThan(5);
    });

    it('is in force when its variables ask for it, and only then', async () => {
      expect(module.enabled(module.options.parse(await options.environment()))).toBe(true);
      expect(module.enabled(module.options.parse({}))).toBe(false);
    });

    it('has a challenge for 401s', () => {
      expect(scheme.challenge).toMatch(CHALLENGE);
    });

    it('knows each of its own, each time', async () => {
      for (const [name, request] of Object.entries(known())) {
        for (let time = 0; time < 3; time++) expect(await identify(request)).toMatchObject({ name });
      }
    });

    it('gives out no credential as a name', () => {
      if (scheme.ambient) return;
      for (const [name, request] of Object.entries(known())) expect(name).not.toContain(scheme.credentialIn(request));
    });

    it('knows nobody by a credential that is not good', async () => {
      for (const request of unknown()) expect(await identify(request)).toBeUndefined();
    });

    it('leaves what is not of its kind to others', () => {
      for (const request of [...absent(), { headers: {}, address: '127.0.0.1' }]) {
        expect(scheme.credentialIn(request)).toBeUndefined();
      }
    });

    it('takes any text for a credential, and knows nobody by it', async () => {
      const texts = [
        '',
        ' ',
        '.',
        '..',
        '\0',
        '\u{1F600}',
        '%',
        'a.b.c',
        '{}',
        'x'.repeat(LONGEST),
        '='.repeat(LONGEST),
      ];
      if (scheme.ambient) return;
      for (const text of texts) expect(await scheme.identify(text)).toBeUndefined();
    });

    it('does not stumble over headers that are repeated or odd', () => {
      const names = ['authorization', 'x-api-key', 'x-forwarded-client-cert'];
      for (const value of [['a', 'b'], '', 'Bearer', 'Bearer ', ',', ';', '"', `"${'\\'.repeat(1_000)}`]) {
        const headers = Object.fromEntries(names.map((name) => [name, value]));
        expect(() => scheme.credentialIn({ headers, address: '' })).not.toThrow();
      }
    });

    it('may be stopped twice', () => {
      scheme.stop?.();
      scheme.stop?.();
    });
  });
}
