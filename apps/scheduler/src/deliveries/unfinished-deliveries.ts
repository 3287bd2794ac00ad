/**
 * Deliveries without a verdict, of all partitions, asked of the instances that serve them. The owners send them by themselves; the scheduler has them
 * send again from time to time, so that an owner that pauses for long, or a target that is back, is not waited for. It keeps nothing but counts.
 */
import type { Clock } from '@sluice/ports';
import { logpb, type schedulerpb } from '@sluice/protocol';
import { refusal } from '@sluice/service';
import type { Logger } from '@sluice/telemetry';
import type { DueWatch, WatchedPartition } from '../timers/due-watch';

/** Between two rounds over the partitions. */
const DRIVE_INTERVAL_MS = 5_000;
const ANSWER_LIMIT_MS = 10_000;
const DEFAULT_PAGE = 100;
const MAXIMUM_PAGE = 1_000;
const MAXIMUM_REDRIVEN = 1_000;
const DELIVERY_ID = /^d-(\d{1,9})-\d{1,9}-\d{1,15}$/;

const { listUnfinished, redrive, drive } = logpb.DeliveryServiceService;

export interface UnfinishedDeliveriesOptions {
  /** Says which instance serves a partition. */
  readonly watch: DueWatch;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this scheduler is the one that acts. */
  readonly acts: () => boolean;
}

interface Position {
  readonly partition: number;
  /** Of the owner; empty: at the beginning of the partition. */
  readonly token: string;
}

export class UnfinishedDeliveries {
  /** As the owners said in the last round. */
  private counts = new Map<number, bigint>();
  private closed = false;
  private cancelRound = (): void => undefined;

  constructor(private readonly options: UnfinishedDeliveriesOptions) {
    this.waitForRound();
  }

  /** Deliveries without a verdict, as of the last round. */
  get count(): bigint {
    let sum = 0n;
    for (const count of this.counts.values()) sum += count;
    return sum;
  }

  close(): void {
    this.closed = true;
    this.cancelRound();
  }

  /** Partition by partition. Refuses with INVALID_REQUEST, PAGE_TOKEN_INVALID, or PARTITION_UNAVAILABLE. */
  async list({ partition: only, deadOnly, pageSize, pageToken }: schedulerpb.ListUnfinishedRequest): Promise<schedulerpb.ListUnfinishedResponse> {
    if (pageSize < 0 || pageSize > MAXIMUM_PAGE) throw refusal('INVALID_REQUEST', `page_size must be 0 to ${MAXIMUM_PAGE}`, { field: 'page_size' });
    const limit = pageSize === 0 ? DEFAULT_PAGE : pageSize;
    const from = decodePosition(pageToken);
    const deliveries: logpb.UnfinishedDelivery[] = [];
    for (const served of this.served(only)) {
      const { partition } = served;
      if (from !== undefined && partition < from.partition) continue;
      if (deliveries.length === limit) return { deliveries, nextPageToken: encodePosition({ partition, token: '' }) };
      const token = partition === from?.partition ? from.token : '';
      const page = await this.ask(served, listUnfinished, { partition, pageSize: limit - deliveries.length, pageToken: token, deadOnly });
      deliveries.push(...page.deliveries);
      if (page.nextPageToken !== '') return { deliveries, nextPageToken: encodePosition({ partition, token: page.nextPageToken }) };
    }
    return { deliveries, nextPageToken: '' };
  }

  /** Refuses with INVALID_REQUEST or PARTITION_UNAVAILABLE; what was redriven before stays so. */
  async redrive({ deliveryIds, allDead }: schedulerpb.RedriveRequest): Promise<schedulerpb.RedriveResponse> {
    if (allDead === deliveryIds.length > 0 || deliveryIds.length > MAXIMUM_REDRIVEN)
      throw refusal('INVALID_REQUEST', `give 1 to ${MAXIMUM_REDRIVEN} delivery_ids, or all_dead`, { field: 'delivery_ids' });
    let redriven = 0;
    if (allDead) {
      for (const served of this.served()) redriven += (await this.ask(served, redrive, { partition: served.partition, deliveryIds: [] })).redriven;
      return { redriven };
    }
    for (const [partition, ids] of byPartition(deliveryIds)) {
      for (const served of this.served(partition)) redriven += (await this.ask(served, redrive, { partition, deliveryIds: ids })).redriven;
    }
    return { redriven };
  }

  /** The partitions that an instance serves, each once. */
  private served(only?: number): WatchedPartition[] {
    const { watch } = this.options;
    if (only !== undefined) {
      const served = watch.partition(only);
      if (served === undefined) throw refusal('PARTITION_UNAVAILABLE', `no command instance serves partition ${only} now`);
      return [served];
    }
    const newest = new Map([...watch.partitions()].map((served) => [served.partition, served]));
    return [...newest.values()].sort((left, right) => left.partition - right.partition);
  }

  private async ask<Request, Response>(
    { instance, partition }: WatchedPartition,
    method: Parameters<typeof instance.calls.unary<Request, Response>>[0],
    request: Request,
  ): Promise<Response> {
    try {
      return await instance.calls.unary(method, request, partition, Date.now() + ANSWER_LIMIT_MS);
    } catch (error) {
      throw refusal('PARTITION_UNAVAILABLE', `the owner of partition ${partition} does not answer: ${(error as Error).message}`);
    }
  }

  private waitForRound(): void {
    if (this.closed) return;
    this.cancelRound = this.options.clock.after(DRIVE_INTERVAL_MS, () => {
      void this.round().finally(() => this.waitForRound());
    });
  }

  private async round(): Promise<void> {
    const { acts, logger } = this.options;
    if (!acts()) {
      this.counts.clear();
      return;
    }
    const counts = new Map<number, bigint>();
    for (const served of this.served()) {
      const { partition } = served;
      try {
        counts.set(partition, (await this.ask(served, drive, { partition })).unfinished);
      } catch (error) {
        logger.debug({ error, partition }, 'unfinished deliveries could not be driven; they are driven in the next round');
        counts.set(partition, this.counts.get(partition) ?? 0n);
      }
      if (this.closed) return;
    }
    this.counts = counts;
  }
}

function byPartition(deliveryIds: readonly string[]): Map<number, string[]> {
  const ids = new Map<number, string[]>();
  for (const id of deliveryIds) {
    const source = DELIVERY_ID.exec(id)?.[1];
    if (source === undefined) throw refusal('INVALID_REQUEST', `${id} is no id of a delivery`, { field: 'delivery_ids' });
    const partition = Number(source);
    ids.set(partition, [...(ids.get(partition) ?? []), id]);
  }
  return ids;
}

/** A page token: base64url(partition ‖ "." ‖ the owner's token). */
function encodePosition({ partition, token }: Position): string {
  return Buffer.from(`${partition}.${token}`).toString('base64url');
}

function decodePosition(pageToken: string): Position | undefined {
  if (pageToken === '') return undefined;
  const [, partition, token] = /^(\d{1,10})\.([\w-]*)$/.exec(Buffer.from(pageToken, 'base64url').toString()) ?? [];
  if (partition === undefined || token === undefined) throw refusal('PAGE_TOKEN_INVALID');
  return { partition: Number(partition), token };
}
