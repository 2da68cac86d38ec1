import { BackendError, Turns, type InstanceKey } from '#core';
import type { Client } from './client.js';
import { hasStatus } from './errors.js';
import type { LeaseForm } from './leases.js';
import { LEASES, pathOf, type Lease } from './objects.js';
import type { Reflector } from './reflector.js';

/** Lost races. Those of this process wait for each other, so only other replicas race. */
const ATTEMPTS = 50;

/** Makes of what is there what shall be; undefined: nothing is to be written. Throws what the caller is told. */
export type Decision = (lease: Lease | undefined) => Lease | undefined;

/** Writes Leases, each on the condition that nobody was faster. */
export class LeaseWriter {
  private readonly turns = new Turns();

  constructor(
    private readonly client: Client,
    private readonly namespace: string,
    private readonly form: LeaseForm,
    private readonly leases: () => Reflector<Lease>,
  ) {}

  /** In the words of the reflector. */
  slotOf(key: InstanceKey): string {
    return `${this.namespace}/${this.form.nameOf(key)}`;
  }

  known(slot: string): Lease | undefined {
    return this.leases().objects.get(slot);
  }

  /**
   * @returns What is there afterwards. What we know may be old: a decision to write is tried at once, because
   * writing shows it; one that says no is taken again on what there really is.
   */
  change(slot: string, decide: Decision, signal?: AbortSignal): Promise<Lease | undefined> {
    const work = async () => {
      let lease = this.known(slot);
      let fresh = false;
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const wanted = attemptTo(decide, lease, fresh);
        if (wanted) {
          const written = await this.write(slot, lease, wanted, signal);
          if (written) return written;
        } else if (fresh) {
          return lease;
        }
        lease = await this.read(slot, signal);
        fresh = true;
      }
      throw new BackendError('BUSY', 'too many change this instance at once');
    };
    return this.turns.take(slot, work, signal);
  }

  /** Writes once; undefined when somebody else was faster. */
  async write(slot: string, lease: Lease | undefined, wanted: Lease, signal?: AbortSignal): Promise<Lease | undefined> {
    try {
      const path = pathOf(LEASES, this.namespace, lease && nameIn(slot));
      const written = lease
        ? await this.client.replace<Lease>(path, wanted, signal)
        : await this.client.create<Lease>(path, wanted, signal);
      this.leases().observe(written);
      return written;
    } catch (error) {
      if (hasStatus(error, 404, 409)) return undefined;
      throw error;
    }
  }

  /** Writes a heartbeat that came so long ago; unless a later one is written already. */
  async renew(slot: string, beat: Date, ageMs: number): Promise<void> {
    const { form } = this;
    await this.change(slot, (lease) => {
      const wanted = lease && !form.removalOf(lease) && Date.parse(lease.spec.renewTime ?? '') < beat.getTime();
      return wanted ? form.renewed(lease, beat, ageMs) : undefined;
    });
  }

  /** Unless it has changed since we have seen it: a heartbeat changes it too. */
  async expire(slot: string): Promise<void> {
    const lease = this.known(slot);
    if (!lease || this.form.removalOf(lease)) return;
    const removed = this.form.removed(lease, { cause: 'expired', actor: 'registry' });
    const written = await this.write(slot, lease, removed);
    if (written) await this.bury(slot, written);
  }

  /** Deletes what is left of an instance; unless it has come back. */
  async bury(slot: string, lease: Lease, signal?: AbortSignal): Promise<void> {
    try {
      await this.client.remove(pathOf(LEASES, this.namespace, nameIn(slot)), lease, signal);
    } catch (error) {
      if (!hasStatus(error, 404, 409)) throw error;
    }
  }

  private async read(slot: string, signal?: AbortSignal): Promise<Lease | undefined> {
    try {
      const lease = await this.client.get<Lease>(pathOf(LEASES, this.namespace, nameIn(slot)), signal);
      this.leases().observe(lease);
      return lease;
    } catch (error) {
      if (hasStatus(error, 404)) return undefined;
      throw error;
    }
  }
}

function attemptTo(decide: Decision, lease: Lease | undefined, fresh: boolean): Lease | undefined {
  try {
    return decide(lease);
  } catch (error) {
    if (fresh) throw error;
    return undefined;
  }
}

function nameIn(slot: string): string {
  return slot.slice(slot.indexOf('/') + 1);
}
