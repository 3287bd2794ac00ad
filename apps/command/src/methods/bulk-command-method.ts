/**
 * A gRPC method that asks many aggregates for something at once. Each item has a result of its own: what one is refused for concerns no
 * other. The items of a partition are decided together, here or at its owner.
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import type { AggregateCapability, AggregateRequest, RequestBody } from '@sluice/engine';
import { decodePositionToken, encodePositionToken } from '@sluice/protocol';
import { MAXIMUM_BATCH_ITEMS } from '@sluice/protocol';
import { invalidRequest, nextRound, refusal, SluiceError, type CallContext } from '@sluice/service';
import type { CommandContext } from '../command-capability';
import { notOwner } from '../peers/not-owner';
import { bytesMethod, type ServiceMethod } from './command-method';
import { decideHere, partitionOf, readMessage, readRequest } from './partition-share';
import { mergeSequences, type CompletedReply, type CompleteReply } from './reply-completion';
import { itemErrorOf, itemErrorOfRefusal, reasonOf, type ItemError } from './verdict-errors';

/** Items whose ids and digests are made in one round of the event loop. */
const ITEMS_PER_ROUND = 256;

/** How the messages of a bulk method hold their items and results. */
export interface BulkShape<Request, Response, Item, Result> {
  /** Name of the field with the items. */
  readonly field: string;
  items(request: Request): readonly Item[];
  /** The request for a part of them, at another owner. */
  withItems(items: Item[]): Request;
  body(item: Item): RequestBody<unknown>;
  /** Fills in what is known only after the item was accepted. */
  readonly complete?: CompleteReply;
  /** The result of an item that was accepted. */
  accepted(reply: Uint8Array, repeated: boolean): Result;
  refused(error: ItemError): Result;
  response(results: Result[], positionToken: string): Response;
  /** The reverse, for what another owner answered. */
  resultsOf(response: Response): { readonly results: readonly Result[]; readonly positionToken: string };
}

/** An item on its way. */
interface Routed<Result> {
  /** Undefined: its shape is wrong. */
  readonly request: AggregateRequest | undefined;
  /** -1: its shape is wrong. */
  readonly partition: number;
  result: Result | undefined;
}

/** What became of the items of one call, in their order. */
export interface BulkAnswers<Result> {
  readonly results: Result[];
  /** Of each item; -1: its shape is wrong. */
  readonly partitions: readonly number[];
  /** By partition: the sequence on which the answers depend. */
  readonly positions: ReadonlyMap<number, number>;
}

export function bulkCommandMethod<Request, Response, Item, Result>(
  context: CommandContext,
  capability: AggregateCapability,
  method: string,
  definition: MethodDefinition<Request, Response>,
  shape: BulkShape<Request, Response, Item, Result>,
): ServiceMethod {
  const bulk = new BulkCommand(context, capability, method, definition, shape);
  return bytesMethod(definition, async (bytes, call) => definition.responseSerialize(await bulk.run(readMessage(definition.requestDeserialize, bytes), call)));
}

export class BulkCommand<Request, Response, Item, Result> {
  constructor(
    private readonly context: CommandContext,
    private readonly capability: AggregateCapability,
    private readonly method: string,
    private readonly definition: MethodDefinition<Request, Response>,
    private readonly shape: BulkShape<Request, Response, Item, Result>,
  ) {}

  async run(request: Request, call: CallContext): Promise<Response> {
    const { shape, context } = this;
    const items = shape.items(request);
    if (items.length === 0) throw invalidRequest(shape.field, 'is empty');
    if (items.length > MAXIMUM_BATCH_ITEMS) throw refusal('BATCH_TOO_LARGE', `${shape.field} has more than ${MAXIMUM_BATCH_ITEMS} items; send smaller batches`);
    const { results, positions } = await this.answer(items, call, (at) => `${shape.field}[${at}]`);
    const token = positions.size === 0 ? '' : encodePositionToken({ incarnation: context.incarnation, sequences: positions });
    return shape.response(results, token);
  }

  /** Answers any number of items. @param nameOf an item in the message of its refusal. */
  async answer(items: readonly Item[], call: CallContext, nameOf: (at: number) => string): Promise<BulkAnswers<Result>> {
    const routed = await this.route(items, nameOf);
    const positions = new Map<number, number>();
    await Promise.all([...shares(routed)].map(([partition, share]) => this.answerShare(items, routed, partition, share, positions, call)));
    const results = routed.map(({ result }) => {
      if (result === undefined) throw new Error(`${this.method} left an item without a result`);
      return result;
    });
    return { results, partitions: routed.map(({ partition }) => partition), positions };
  }

  private async route(items: readonly Item[], nameOf: (at: number) => string): Promise<Routed<Result>[]> {
    const routed: Routed<Result>[] = [];
    for (const [at, item] of items.entries()) {
      routed.push(this.routeOne(item, at, nameOf));
      if (routed.length % ITEMS_PER_ROUND === 0) await nextRound();
    }
    return routed;
  }

  private routeOne(item: Item, at: number, nameOf: (at: number) => string): Routed<Result> {
    const { shape, capability, method, context } = this;
    try {
      const body = readRequest(() => shape.body(item));
      return { request: capability.request(method, body, context.seeds), partition: partitionOf(context.engine, body), result: undefined };
    } catch (error) {
      if (!(error instanceof SluiceError) || error.reason !== 'INVALID_REQUEST') throw error;
      const { reason, message } = error;
      return { request: undefined, partition: -1, result: shape.refused(itemErrorOfRefusal({ reason, message: `${nameOf(at)}.${message}` })) };
    }
  }

  private async answerShare(
    items: readonly Item[],
    routed: readonly Routed<Result>[],
    partition: number,
    share: readonly number[],
    positions: Map<number, number>,
    call: CallContext,
  ): Promise<void> {
    const { engine, hop } = this.context;
    const requests = share.map((at) => (routed[at] as Routed<Result>).request as AggregateRequest);
    if (hop === undefined || engine.partition(partition) !== undefined) {
      const sequence = await decideHere(engine, this.capability.name, partition, requests, call);
      if (sequence > 0) mergeSequences(positions, new Map([[partition, sequence]]));
    }
    const elsewhere =
      hop !== undefined && requests.some(({ verdict }) => verdict === undefined || (verdict.kind === 'refused' && verdict.refusal === 'NOT_OWNER'));
    if (!elsewhere) {
      const completed = await this.completed(requests, partition, positions, call);
      for (const [position, at] of share.entries())
        (routed[at] as Routed<Result>).result = this.resultOf(requests[position] as AggregateRequest, completed?.[position]);
      return;
    }
    if (call.forwarded) throw notOwner(partition);
    const results = await this.atOwner(items, partition, share, positions, call);
    for (const [position, at] of share.entries()) (routed[at] as Routed<Result>).result = results[position];
  }

  private async atOwner(
    items: readonly Item[],
    partition: number,
    share: readonly number[],
    positions: Map<number, number>,
    call: CallContext,
  ): Promise<readonly Result[]> {
    const { shape, definition, context } = this;
    const part = definition.requestSerialize(shape.withItems(share.map((at) => items[at] as Item)));
    const read = (bytes: Buffer) => shape.resultsOf(definition.responseDeserialize(bytes));
    const answered = await askOwner({ context, path: definition.path, partition, call }, part, share.length, read);
    if ('refused' in answered) return share.map(() => shape.refused(answered.refused));
    mergeSequences(positions, answered.positions);
    return answered.results;
  }

  /** The replies of requests that were accepted, filled in; undefined: the shape has nothing to fill in. */
  private async completed(
    requests: readonly AggregateRequest[],
    partition: number,
    positions: Map<number, number>,
    call: CallContext,
  ): Promise<readonly (CompletedReply | undefined)[] | undefined> {
    const { complete } = this.shape;
    if (complete === undefined) return undefined;
    const completed = await Promise.all(
      requests.map(async (request) => (request.verdict?.kind === 'accepted' ? complete(request, request.verdict.reply, partition, call) : undefined)),
    );
    for (const reply of completed) mergeSequences(positions, reply?.sequences);
    return completed;
  }

  private resultOf({ verdict, repeated }: AggregateRequest, completed: CompletedReply | undefined): Result {
    if (verdict === undefined) throw new Error(`${this.method} was answered without a verdict`);
    if (verdict.kind === 'accepted') return this.shape.accepted(completed?.reply ?? verdict.reply, repeated);
    this.context.observer.rejected(reasonOf(verdict), 1);
    return this.shape.refused(itemErrorOf(verdict));
  }
}

/** The owner of a partition, to be asked for a part of a call's items. */
interface OwnerAsked {
  readonly context: CommandContext;
  /** Of the method. */
  readonly path: string;
  readonly partition: number;
  readonly call: CallContext;
}

/** @param items how many the request holds. */
export async function askOwner<Result>(
  { context, path, partition, call }: OwnerAsked,
  request: Buffer,
  items: number,
  read: (response: Buffer) => { readonly results: readonly Result[]; readonly positionToken: string },
): Promise<{ readonly results: readonly Result[]; readonly positions: ReadonlyMap<number, number> } | { readonly refused: ItemError }> {
  try {
    const bytes = await context.hop?.send(partition, { path, repeatable: true }, request, call);
    const { results, positionToken } = read(bytes as Buffer);
    if (results.length !== items) throw refusal('PARTITION_UNAVAILABLE', `the owner of partition ${partition} answered another number of items`);
    return { results, positions: positionToken === '' ? new Map() : decodePositionToken(positionToken).sequences };
  } catch (error) {
    // What is no refusal leaves the outcome unknown: the caller sends the items again.
    return { refused: itemErrorOfRefusal(error instanceof SluiceError ? error : refusal('PARTITION_UNAVAILABLE', String(error))) };
  }
}

/** Positions of the items of each partition. */
function shares(routed: readonly Routed<unknown>[]): Map<number, number[]> {
  const byPartition = new Map<number, number[]>();
  for (const [at, { partition }] of routed.entries()) {
    if (partition === -1) continue;
    const share = byPartition.get(partition);
    if (share === undefined) byPartition.set(partition, [at]);
    else share.push(at);
  }
  return byPartition;
}
