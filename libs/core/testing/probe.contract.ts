import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AddressGuard, HealthProbe, ProbeContext, ProbeModule, ProbeResult, ProbeTarget } from '../index.js';

/** Something that is probed. */
export interface ProbeSubject {
  readonly target: ProbeTarget;
  /** Resolves when a probe is at it. */
  readonly reached: Promise<unknown>;
  /** Resolves when no connection to it is open and nothing runs for it. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface ProbeContractOptions {
  readonly module: ProbeModule;
  /** Allows loopback. */
  readonly context: ProbeContext;
  readonly healthy: () => Promise<ProbeSubject>;
  /** Takes a probe in and never answers. */
  readonly silent: () => Promise<ProbeSubject>;
  /** Where nobody listens. Absent: this type of probe connects to nothing. */
  readonly refusing?: () => Promise<ProbeTarget>;
}

const PROMPT_MS = 1_000;
const MAX_OUTPUT_BYTES = 4_096;

const refuseAll: AddressGuard = {
  check() {
    throw new Error('forbidden by this test');
  },
  lookup: (_hostname, _options, callback) => callback(new Error('forbidden by this test'), []),
};

/** What every active probe must do, as the monitor sees it. */
export function probeContract({ module, context, healthy, silent, refusing }: ProbeContractOptions): void {
  describe(`probe contract: ${module.type}`, () => {
    let probe: HealthProbe;
    let subjects: ProbeSubject[];

    function made(from: ProbeContext): HealthProbe {
      const created = module.create?.(from);
      if (!created) throw new Error(`${module.type} is passive: there is nothing to try`);
      return created;
    }

    async function subject(open: () => Promise<ProbeSubject>): Promise<ProbeSubject> {
      const opened = await open();
      subjects.push(opened);
      return opened;
    }

    function expectFailure(result: ProbeResult, reason: string | RegExp): void {
      expect(result.status).toBe('critical');
      expect(result.output).toMatch(reason);
      expect(Buffer.byteLength(result.output)).toBeLessThanOrEqual(MAX_OUTPUT_BYTES);
    }

    beforeEach(() => {
      subjects = [];
      probe = made(context);
    });

    afterEach(async () => {
      await probe.close?.();
      await Promise.all(subjects.map((each) => each.close()));
    });

    it('passes what is well, again and again', async () => {
      const { target } = await subject(healthy);
      for (let i = 0; i < 3; i++) {
        const { status, output } = await probe.probe(target, AbortSignal.timeout(5_000));
        expect({ status, output }).toEqual({ status: 'passing', output: expect.any(String) });
      }
    });

    it('serves many at once', async () => {
      const { target } = await subject(healthy);
      const results = await Promise.all(
        Array.from({ length: 20 }, () => probe.probe(target, AbortSignal.timeout(10_000))),
      );
      expect(results.map(({ status }) => status)).toEqual(Array(20).fill('passing'));
    });

    it('ends at once when its signal aborts, with the reason', async () => {
      const { target, reached } = await subject(silent);
      const abort = new AbortController();
      const result = probe.probe(target, abort.signal);
      await reached;
      const began = performance.now();
      abort.abort(new Error('time is up'));
      expectFailure(await result, 'time is up');
      expect(performance.now() - began).toBeLessThan(PROMPT_MS);
    });

    it('begins nothing when its signal has aborted before', async () => {
      const { target } = await subject(silent);
      expectFailure(await probe.probe(target, AbortSignal.abort(new Error('too late'))), 'too late');
    });

    it('rejects options that it does not understand, and does not blame the instance', async () => {
      const { target } = await subject(healthy);
      const options = Object.fromEntries(Object.keys(module.options.shape).map((name) => [name, { not: 'this' }]));
      await expect(probe.probe({ ...target, options }, AbortSignal.timeout(5_000))).rejects.toThrow();
    });

    it('leaves nothing open', async () => {
      const [well, hanging] = [await subject(healthy), await subject(silent)];
      await probe.probe(well.target, AbortSignal.timeout(5_000));
      const abort = new AbortController();
      const hung = probe.probe(hanging.target, abort.signal);
      await hanging.reached;
      abort.abort(new Error('stopping'));
      await hung;
      await probe.close?.();
      await Promise.all([well.idle(), hanging.idle()]);
    });

    it('goes to no address that the guard refuses', async () => {
      const { target } = await subject(healthy);
      const guarded = made({ ...context, guard: refuseAll });
      try {
        for (const address of [target.address, 'localhost']) {
          const result = await guarded.probe({ ...target, address }, AbortSignal.timeout(5_000));
          expectFailure(result, 'forbidden by this test');
        }
        const refusal = module.refusal?.(target, { ...context, guard: refuseAll });
        if (module.refusal) expect(refusal).toContain('forbidden by this test');
      } finally {
        await guarded.close?.();
      }
    });

    if (refusing) {
      it('finds a refused connection critical', async () => {
        expectFailure(await probe.probe(await refusing(), AbortSignal.timeout(5_000)), /./);
      });
    }
  });
}
