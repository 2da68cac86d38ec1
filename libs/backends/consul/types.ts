// What Consul's HTTP API sends and takes, as far as it is used here.

/** What a read finds, and the index that it is true at: what to wait on for the next change. */
export interface Answer<T> {
  readonly body: T;
  readonly index: number;
  /** Part of it was left out: the token may not see it. */
  readonly filtered: boolean;
}

export interface KvEntry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
}

export interface ServiceEntry {
  readonly ID: string;
  readonly Service: string;
  readonly Address: string;
  readonly Port: number;
  readonly Tags: readonly string[] | null;
  readonly Meta: Readonly<Record<string, string>> | null;
  readonly Weights: { readonly Passing: number; readonly Warning: number };
}

export interface CheckEntry {
  readonly Node: string;
  readonly CheckID: string;
  readonly Name: string;
  readonly Status: string;
  readonly Notes: string;
  readonly Output: string;
  /** Empty for a check of the node. */
  readonly ServiceID: string;
  readonly ServiceName: string;
  readonly ModifyIndex: number;
}

/** An instance, as `/v1/health/service/…` has it. */
export interface HealthEntry {
  readonly Node: { readonly Node: string; readonly Address: string };
  readonly Service: ServiceEntry;
  readonly Checks: readonly CheckEntry[];
}

export interface CatalogNode {
  readonly Services: Readonly<Record<string, ServiceEntry>>;
}

/** An operation of `/v1/txn`: KV values in Base64. */
export type Operation =
  | {
      readonly KV:
        | { readonly Verb: 'set'; readonly Key: string; readonly Value: string }
        | { readonly Verb: 'cas'; readonly Key: string; readonly Value: string; readonly Index: number }
        | { readonly Verb: 'check-index' | 'delete-cas'; readonly Key: string; readonly Index: number }
        | { readonly Verb: 'get-or-empty' | 'check-not-exists' | 'delete'; readonly Key: string };
    }
  | { readonly Node: { readonly Verb: 'set'; readonly Node: NodeDefinition } }
  | {
      readonly Service: {
        readonly Verb: 'set' | 'delete';
        readonly Node: string;
        readonly Service: Partial<ServiceEntry> & { readonly ID: string; readonly Service: string };
      };
    }
  | { readonly Check: { readonly Verb: 'set' | 'delete'; readonly Check: CheckDefinition } };

interface NodeDefinition {
  readonly Node: string;
  readonly Address: string;
  readonly Meta: Readonly<Record<string, string>>;
}

export type CheckDefinition = Pick<CheckEntry, 'Node' | 'CheckID' | 'ServiceID' | 'ServiceName'> &
  Partial<Pick<CheckEntry, 'Name' | 'Status' | 'Notes' | 'Output'>>;

export interface Refusal {
  readonly OpIndex: number;
  readonly What: string;
}

/** What became of a transaction: all of it was done, or none and why. */
export interface TransactionAnswer {
  readonly Results: readonly { readonly KV?: KvEntry }[] | null;
  readonly Errors: readonly Refusal[] | null;
}
