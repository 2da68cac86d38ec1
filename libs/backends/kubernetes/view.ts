import {
  compareVersions,
  keyText,
  Watches,
  type BackendError,
  type InstanceKey,
  type RegistrySnapshot,
  type RemovalCause,
  type ServiceInstance,
  type Version,
} from '#core';

/** What the view is made from. */
export interface Part {
  readonly floor: Version;
  refresh(signal?: AbortSignal): Promise<void>;
}

/** All instances as this process knows them, and whether it follows all that they are made from. */
export class View {
  readonly watches = new Watches(() => this.snapshot());
  private readonly instances = new Map<string, ServiceInstance>();
  private readonly parts = new Set<Part>();
  private readonly standing = new Set<Part>();
  private newest: Version = '0';
  private era = 0;
  /** Told; until then readers wait for a first snapshot, or for the registry. */
  private state: 'beginning' | 'live' | 'away' = 'beginning';
  private begun = false;

  add(part: Part): void {
    this.parts.add(part);
  }

  get isLive(): boolean {
    return this.state === 'live';
  }

  get(key: InstanceKey): ServiceInstance | undefined {
    return this.instances.get(keyText(key));
  }

  /** The same version as before: only its vitals have moved. */
  put(instance: ServiceInstance): void {
    this.instances.set(keyText(instance), instance);
    this.moved(instance.version);
    this.watches.tell({ kind: 'upsert', instance });
  }

  remove(key: InstanceKey, version: Version, cause: RemovalCause, actor?: string): void {
    if (!this.instances.delete(keyText(key))) return;
    this.moved(version);
    this.watches.tell({ kind: 'remove', key, version, cause, ...(actor !== undefined && { actor }) });
  }

  /** Versions begin anew, and so does all that it is made from. */
  beginAnew(): void {
    this.era++;
    this.newest = '0';
    this.begun = false;
    if (this.state === 'live') this.state = 'beginning';
    this.instances.clear();
    this.parts.clear();
    this.standing.clear();
  }

  stands(part: Part): void {
    this.standing.add(part);
    if (this.standing.size < this.parts.size || this.state === 'live') return;
    this.state = 'live';
    // What had changed meanwhile has been told one by one.
    if (this.begun) this.watches.tell({ kind: 'live', asOf: this.asOf });
    else this.watches.resync();
    this.begun = true;
  }

  fell(part: Part | undefined, error: BackendError): void {
    if (part) this.standing.delete(part);
    if (this.state === 'away') return;
    this.state = 'away';
    this.watches.tell({ kind: 'stale', error });
  }

  /** Read anew, all of it. */
  async list(signal?: AbortSignal): Promise<RegistrySnapshot> {
    await Promise.all([...this.parts].map((part) => part.refresh(signal)));
    return this.current();
  }

  /**
   * The parts are told of at different times. What has gone from one of them has to be older than the snapshot
   * that lacks it, so all of them have to have come as far.
   */
  private async snapshot(): Promise<RegistrySnapshot> {
    const behind = [...this.parts].filter(({ floor }) => compareVersions(floor, this.newest) < 0);
    await Promise.all(behind.map((part) => part.refresh()));
    return this.current();
  }

  private current(): RegistrySnapshot {
    return { instances: [...this.instances.values()], asOf: this.asOf, incarnation: String(this.era) };
  }

  /** Up to where all parts have been told. */
  private get asOf(): Version {
    return [...this.parts].map(({ floor }) => floor).reduce((a, b) => (compareVersions(a, b) < 0 ? a : b));
  }

  private moved(version: Version): void {
    if (compareVersions(version, this.newest) > 0) this.newest = version;
  }
}
