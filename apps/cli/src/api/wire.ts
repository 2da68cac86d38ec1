// Answers as the API gives them: of each the members that are read here.

export type Status = 'passing' | 'warning' | 'critical' | 'maintenance';

export interface InstanceAnswer {
  readonly service_id: string;
  readonly service_name: string;
  readonly address: string;
  readonly port: number;
  readonly url: string;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly weight: number;
  readonly region: string | null;
  readonly zone: string | null;
  readonly status: Status;
  readonly maintenance_reason?: string;
  readonly held?: true;
  readonly registered_at: string;
  readonly last_heartbeat: string | null;
  readonly ttl: number | null;
}

export interface ServiceSummary {
  readonly service_name: string;
  readonly total_instances: number;
  readonly healthy_instances: number;
  readonly status: Status;
  readonly tags: readonly string[];
  readonly instances?: readonly InstanceAnswer[];
}

export interface CheckAnswer {
  readonly service_name: string;
  readonly service_id: string;
  readonly type: string;
  readonly status: Status;
  readonly output: string;
  readonly timestamp: string | null;
}

export interface InstanceHealth {
  readonly service_name: string;
  readonly service_id: string;
  readonly status: Status;
  readonly maintenance_reason?: string;
  readonly held?: true;
  readonly checks: readonly CheckAnswer[];
}

export interface ServiceHealth {
  readonly service_name: string;
  readonly total_instances: number;
  readonly healthy_instances: number;
  readonly status: Status;
  readonly instances: readonly InstanceHealth[];
}

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

export interface ConfigDocument {
  readonly service_name: string;
  readonly environment: string;
  readonly version: number;
  readonly config: Fields;
  readonly updated_at: string;
  readonly updated_by: string;
}

export interface ResolvedConfig {
  readonly service_name: string;
  readonly environment: string;
  readonly config: Fields;
  readonly layers: readonly { readonly layer: string; readonly version: number }[];
  /** By JSON pointer. */
  readonly sources: Readonly<Record<string, string>>;
}

export interface ConfigVersion {
  readonly version: number;
  readonly deleted: boolean;
  readonly rolled_back_to?: number;
  readonly updated_at: string;
  readonly updated_by: string;
}

export interface TimelineEntry {
  readonly at: string;
  readonly service_id: string;
  readonly cause: string;
  readonly actor: string;
  readonly before: Status | null;
  readonly status: Status | null;
  readonly detail?: string;
  readonly output?: string;
}

interface Named {
  readonly name: string;
  readonly summary: string;
}

export interface Capabilities {
  readonly backend: Readonly<Record<string, string | boolean | readonly string[]>> & {
    readonly type: string;
    readonly notes: readonly string[];
  };
  readonly strategies: readonly Named[];
  readonly default_strategy: string;
  readonly probes: readonly Named[];
  readonly authentication_schemes: readonly Named[];
  readonly dialects: readonly Named[];
}
