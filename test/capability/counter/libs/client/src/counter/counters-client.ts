/** Everything that can be done with counters, as promises. */
import { randomUUID } from 'node:crypto';
import type { counterpb } from '@sluice/protocol/counter';
import type { Caller, CallOptions } from '../caller';
import type { PositionTracker } from '../position-tracker';
import type { ReadOptions, Reads } from '../reads';

export interface Counter {
  readonly counterId: string;
  readonly value: bigint;
  /** How many additions made it. */
  readonly additions: bigint;
  readonly sequence: bigint;
}

export interface AdditionResult {
  readonly value: bigint;
  /** The request was done before: this is its first answer again. */
  readonly repeated: boolean;
  readonly requestId: string;
}

/** @internal */
export interface CountersClientOptions {
  readonly caller: Caller;
  readonly commands: counterpb.CounterCommandServiceClient;
  readonly queries: counterpb.CounterQueryServiceClient;
  readonly positions: PositionTracker;
  readonly reads: Reads;
}

export class CountersClient {
  readonly #options: CountersClientOptions;

  /** @internal Made by SluiceClient. */
  constructor(options: CountersClientOptions) {
    this.#options = options;
  }

  async add(counterId: string, amount: bigint, options: CallOptions & { readonly requestId?: string } = {}): Promise<AdditionResult> {
    const { caller, commands, positions } = this.#options;
    const { requestId = randomUUID() } = options;
    const { value, repeated, positionToken } = await caller.unary(commands.add.bind(commands), { requestId, counterId, amount }, options);
    positions.add(positionToken);
    return { value, repeated, requestId };
  }

  /** Throws NOT_FOUND for an unknown counter. */
  async get(counterId: string, options?: ReadOptions): Promise<Counter> {
    const { queries, reads } = this.#options;
    return reads.read(queries.getCounter.bind(queries), { counterId, ...reads.covering(options) }, options);
  }

  /** How many counters there are, and their sum. */
  async totals(options?: ReadOptions): Promise<{ readonly counters: bigint; readonly value: bigint }> {
    const { queries, reads } = this.#options;
    return reads.read(queries.getTotals.bind(queries), reads.covering(options), options);
  }
}
