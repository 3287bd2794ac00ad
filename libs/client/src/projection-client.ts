/** The projector, for those who operate it: where the read store stands, rebuild it, compare it with the log. */
import type { projectionpb } from '@sluice/protocol';
import type { Caller, CallOptions, StreamOptions } from './caller';

export interface ProjectionStatus {
  readonly partitions: readonly PartitionStatus[];
  /** Name of the copy of the read collections in force. */
  readonly copy: string;
  readonly setAside: readonly SetAsideAggregate[];
  readonly projectedPostings: bigint;
  readonly incarnation: string;
  /** The account with the most postings since the last call; empty: none. */
  readonly hottestAccount: string;
}

export interface PartitionStatus {
  readonly partition: number;
  readonly checkpoint: bigint;
  readonly headSequence: bigint;
  /** From commit to read store, in microseconds. */
  readonly lagUs: bigint;
  readonly heldHere: boolean;
  /** The commit that cannot be read and that the projector stands still before. */
  readonly blocked: { readonly sequence: bigint; readonly error: string } | undefined;
  /** Projections that lack commits before the checkpoint, and the sequence up to which each is filled. Queries of their rows are refused. */
  readonly filling: readonly { readonly projection: string; readonly sequence: bigint }[];
}

export interface SetAsideAggregate {
  readonly aggregate: string;
  readonly key: string;
  readonly partition: number;
  readonly sequence: bigint;
  readonly error: string;
}

export interface RebuildProgress {
  readonly doneCommits: bigint;
  readonly totalCommits: bigint;
  /** True in the last one: the copy is in force. */
  readonly switched: boolean;
  readonly copy: string;
}

export interface VerifyProgress {
  readonly doneCommits: bigint;
  readonly totalCommits: bigint;
  readonly accounts: bigint;
  readonly entries: bigint;
  /** What was compared, of every capability; accounts and entries are among it. */
  readonly compared: readonly { readonly what: string; readonly count: bigint }[];
  /** At most 100. */
  readonly differences: readonly string[];
  /** True in the last one. */
  readonly finished: boolean;
  /** In the last one: everything is equal. */
  readonly equal: boolean;
}

export class ProjectionClient {
  readonly #caller: Caller;
  readonly #service: projectionpb.ProjectionServiceClient;

  /** @internal Made by SluiceClient. */
  constructor(caller: Caller, service: projectionpb.ProjectionServiceClient) {
    this.#caller = caller;
    this.#service = service;
  }

  status(options?: CallOptions): Promise<ProjectionStatus> {
    return this.#caller.unary(this.#service.getStatus.bind(this.#service), {}, options);
  }

  /** Fills a fresh copy from the log and switches to it; reads go on meanwhile. */
  rebuild(options?: StreamOptions): AsyncGenerator<RebuildProgress, void, undefined> {
    return this.#caller.stream((metadata) => this.#service.rebuild({}, metadata), options);
  }

  /** Folds the whole log and compares it with the read store. */
  verifyAll(options?: StreamOptions): AsyncGenerator<VerifyProgress, void, undefined> {
    return this.#caller.stream((metadata) => this.#service.verifyAll({}, metadata), options);
  }
}
