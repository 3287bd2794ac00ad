/**
 * The deliveries of one partition, as a source and as a target, across the memories that it loads: sends what its present memory owes, takes
 * what others owe to it, and shows and sends again what is unfinished.
 */
import type { Clock, EventLog } from '@sluice/ports';
import { readDeliveryBatch } from '@sluice/protocol';
import type { Submission } from '../capability';
import type { EngineObserver } from '../engine-observer';
import type { PartitionWorker } from '../internal/engine-room';
import type { PartitionLimits } from '../partition/limits';
import type { PartitionMemory } from '../partition/partition-memory';
import { QueueFullError } from '../partition/submission-queue';
import { DecisionFaults } from './decision-faults';
import type { DeliveryBudget } from './delivery-budget';
import { parseDeliveryId } from './delivery-id';
import { DeliverySender } from './delivery-sender';
import { RecordSubmission } from './record-submission';
import { DeliveryFailedError, TakeSubmission } from './take-submission';
import { UnfinishedList, type UnfinishedPage, type UnfinishedPlace } from './unfinished';

/** Dead letters that are sent again by one request. */
export const MAXIMUM_REDRIVEN = 1_000;
/** What the record of one of them takes. */
const REDRIVEN_BYTES = 16;

export interface PartitionDeliveriesDependencies {
  readonly partition: number;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly observer: EngineObserver;
  readonly budget: DeliveryBudget;
  readonly limits: Pick<PartitionLimits, 'deliveryBatchBytes'>;
  /** Sends an encoded batch to a partition, and resolves with its encoded answer. */
  readonly send: (target: number, batch: Uint8Array) => Promise<Uint8Array>;
  /** Throws QueueFullError. */
  readonly submit: (submission: Submission) => void;
}

/** The batch is not for this partition, or not of this log: sending it again does not help. */
export class MisdirectedBatchError extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'MisdirectedBatchError';
  }
}

export interface UnfinishedQuery {
  readonly pageSize: number;
  readonly deadOnly: boolean;
  /** Undefined: the first page. */
  readonly from: UnfinishedPlace | undefined;
}

export interface UnfinishedCounts {
  /** Deliveries without a verdict. */
  readonly unfinished: number;
  /** Dead letters among them. */
  readonly dead: number;
}

export class PartitionDeliveries {
  private readonly faults = new DecisionFaults();
  private readonly incarnation: Uint8Array;
  /** What the observer was told last. */
  private observed: UnfinishedCounts = { unfinished: 0, dead: 0 };
  private serving: { readonly memory: PartitionMemory; readonly sender: DeliverySender } | undefined;

  constructor(private readonly dependencies: PartitionDeliveriesDependencies) {
    this.incarnation = Buffer.from(dependencies.log.identity.incarnation, 'hex');
  }

  /** Sends what the memory owes, until the memory is given up. */
  begin(memory: PartitionMemory): PartitionWorker {
    const { partition, log, clock, budget, limits, send, observer } = this.dependencies;
    const sender = new DeliverySender({
      partition,
      incarnation: this.incarnation,
      room: memory.deliveries,
      recent: memory.recent,
      stateOf: (capability) => memory.knownStateOf(capability),
      faults: this.faults,
      log,
      clock,
      budget,
      batchBytes: limits.deliveryBatchBytes,
      send,
      submit: (submission) => this.submitted(submission),
      settled: (count) => observer.deliveriesSettled?.(partition, count),
      trouble: (what, error) => observer.trouble(partition, what, error),
    });
    const serving = { memory, sender };
    this.serving = serving;
    return {
      durable: (sequence) => {
        sender.durable(sequence);
        this.observe();
      },
      stop: () => {
        sender.stop();
        if (this.serving === serving) this.serving = undefined;
      },
    };
  }

  /**
   * Decides an encoded batch of another partition and resolves with the encoded answer when it is durable. Rejects with MisdirectedBatchError,
   * MalformedMessageError, QueueFullError, or DeliveryFailedError.
   */
  async deliver(bytes: Uint8Array): Promise<Uint8Array> {
    const { partition } = this.dependencies;
    const batch = readDeliveryBatch(bytes);
    if (batch.target !== partition) throw new MisdirectedBatchError(`partition ${partition} got deliveries for partition ${batch.target}`);
    if (Buffer.compare(batch.incarnation, this.incarnation) !== 0)
      throw new MisdirectedBatchError('the deliveries are of another log, or of the log before it was restored');
    if (this.serving === undefined) throw new DeliveryFailedError('PARTITION_UNAVAILABLE');
    const { memory } = this.serving;
    const submission = new TakeSubmission(batch, bytes.length, {
      room: memory.deliveries,
      stateOf: (capability) => memory.knownStateOf(capability),
      faults: this.faults,
    });
    this.dependencies.submit(submission);
    const answer = await submission.answer;
    if (submission.decided > 0) this.dependencies.observer.deliveriesTaken?.(partition, submission.decided);
    return answer;
  }

  get counts(): UnfinishedCounts {
    const room = this.serving?.memory.deliveries;
    if (room === undefined) return { unfinished: 0, dead: 0 };
    let dead = 0;
    for (const channel of room.outgoing.values()) dead += channel.dead.size;
    return { unfinished: room.unfinished, dead };
  }

  /** Rejects with DeliveryFailedError while the partition does not serve, and with what the log throws. */
  list({ pageSize, deadOnly, from }: UnfinishedQuery): Promise<UnfinishedPage> {
    const { memory, sender } = this.served();
    const { partition, log } = this.dependencies;
    return new UnfinishedList({ partition, log, room: memory.deliveries, sender }, pageSize, deadOnly).page(from);
  }

  /** Sends now what waits for a pause to be over. */
  drive(): void {
    this.serving?.sender.drive();
  }

  /**
   * Has dead letters sent again, and resolves with how many when that is durable. Ids that are no dead letters of this partition are passed over.
   * @param ids empty: all dead letters, up to a bound.
   */
  async redrive(ids: readonly string[]): Promise<number> {
    const { memory, sender } = this.served();
    const room = memory.deliveries;
    let redriven = 0;
    for (const [target, numbers] of this.chosen(memory, ids)) {
      redriven += await new Promise<number>((resolve, reject) => {
        const record = new RecordSubmission(
          (turn) => room.redrive(turn, target, numbers),
          (count) => {
            sender.channelTo(target).redriven(numbers);
            resolve(count);
          },
          (failure) => reject(new DeliveryFailedError(failure)),
          (numbers.length + 1) * REDRIVEN_BYTES,
        );
        this.dependencies.submit(record);
      });
    }
    return redriven;
  }

  private observe(): void {
    const { unfinished, dead } = this.counts;
    if (unfinished === this.observed.unfinished && dead === this.observed.dead) return;
    this.observed = { unfinished, dead };
    this.dependencies.observer.deliveriesUnfinished?.(this.dependencies.partition, unfinished, dead);
  }

  private chosen(memory: PartitionMemory, ids: readonly string[]): Map<number, number[]> {
    const chosen = new Map<number, number[]>();
    const choose = (target: number, number: number): void => {
      const numbers = chosen.get(target);
      if (numbers === undefined) chosen.set(target, [number]);
      else numbers.push(number);
    };
    if (ids.length === 0) {
      const dead = [...memory.deliveries.outgoing.values()].flatMap((channel) =>
        [...channel.dead.values()].filter(({ redriven }) => !redriven).map(({ number }) => ({ target: channel.target, number })),
      );
      for (const { target, number } of dead.slice(0, MAXIMUM_REDRIVEN)) choose(target, number);
      return chosen;
    }
    for (const id of ids) {
      const name = parseDeliveryId(id);
      if (name?.source !== this.dependencies.partition) continue;
      if (memory.deliveries.outgoing.get(name.target)?.dead.has(name.number)) choose(name.target, name.number);
    }
    return chosen;
  }

  private served(): { readonly memory: PartitionMemory; readonly sender: DeliverySender } {
    if (this.serving === undefined) throw new DeliveryFailedError('PARTITION_UNAVAILABLE');
    return this.serving;
  }

  /** False: the queue is full. */
  private submitted(submission: Submission): boolean {
    try {
      this.dependencies.submit(submission);
      return true;
    } catch (error) {
      if (error instanceof QueueFullError) return false;
      throw error;
    }
  }
}
