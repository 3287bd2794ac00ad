/** The scheduler, for those who operate it: which instance acts, and what waits. */
import { logpb, type schedulerpb, timestampFromUs, usFromTimestamp } from '@sluice/protocol';
import type { Caller, CallOptions } from './caller';
import { iteratePages, type PageOptions } from './reads';

export interface SchedulerStatus {
  readonly startedAtUs: number;
  readonly instanceId: string;
  /** Whether the instance that answers is the one that acts. */
  readonly active: boolean;
  readonly waitingTimers: bigint;
  readonly unfinished: bigint;
}

/** A command that is due at a time. */
export interface WaitingTimer {
  readonly partition: number;
  readonly capability: string;
  /** The aggregate. */
  readonly key: string;
  readonly timerId: string;
  /** What is asked of the capability. */
  readonly method: string;
  readonly dueAtUs: number;
  /** True: the version of Sluice that its owner runs cannot decide it. It waits for `redriveTimers`, and is tried again when its partition is loaded again. */
  readonly parked: boolean;
}

export interface TimerFilter {
  readonly partition?: number;
  readonly capability?: string;
  readonly key?: string;
  /** Only those that are due then or before; microseconds since the epoch. */
  readonly dueUntilUs?: number;
}

/** Which parked timers are tried again; empty: all, up to 1,000 of each partition. */
export type ParkedTimers = Pick<TimerFilter, 'partition' | 'capability' | 'key'>;

export type DeliveryState = 'WAITING' | 'SENT' | 'RETRYING' | 'DEAD' | 'REDRIVEN' | 'HALTED';

/** A command that one partition owes to another and that has no verdict yet; or a change task, which a partition does later, and that has not ended. */
export interface UnfinishedDelivery {
  /** Empty: it is a change task. */
  readonly deliveryId: string;
  /** Of a change task: its id in its aggregate, like "score/REQUEST"; empty: it is a delivery. */
  readonly taskId: string;
  /** DEAD: the target could not decide it; it waits for `redrive`. HALTED: the histories of the two partitions differ, as after a restore. */
  readonly state: DeliveryState;
  /** The partitions that owe and that decide it. */
  readonly source: number;
  readonly target: number;
  /** The capability and the aggregate that owe it. */
  readonly owedBy: string;
  readonly owedByKey: string;
  /** The capability and the aggregate that decide it, and what is asked. */
  readonly capability: string;
  readonly key: string;
  readonly method: string;
  readonly owedAtUs: number;
  /** How often it was sent or executed; of a delivery that is sent again, since its partition was loaded. */
  readonly attempts: number;
  /** Why the last attempt failed; empty if none did. */
  readonly reason: string;
}

export interface UnfinishedFilter {
  /** Only what this partition owes. */
  readonly partition?: number;
  /** Only dead letters, and change tasks whose command cannot be decided. */
  readonly deadOnly?: boolean;
}

const STATES: Readonly<Record<logpb.DeliveryState, DeliveryState>> = {
  [logpb.DeliveryState.DELIVERY_STATE_UNSPECIFIED]: 'WAITING',
  [logpb.DeliveryState.DELIVERY_STATE_WAITING]: 'WAITING',
  [logpb.DeliveryState.DELIVERY_STATE_SENT]: 'SENT',
  [logpb.DeliveryState.DELIVERY_STATE_RETRYING]: 'RETRYING',
  [logpb.DeliveryState.DELIVERY_STATE_DEAD]: 'DEAD',
  [logpb.DeliveryState.DELIVERY_STATE_REDRIVEN]: 'REDRIVEN',
  [logpb.DeliveryState.DELIVERY_STATE_HALTED]: 'HALTED',
  [logpb.DeliveryState.UNRECOGNIZED]: 'WAITING',
};

export class SchedulerClient {
  readonly #caller: Caller;
  readonly #service: schedulerpb.SchedulerServiceClient;

  /** @internal Made by SluiceClient. */
  constructor(caller: Caller, service: schedulerpb.SchedulerServiceClient) {
    this.#caller = caller;
    this.#service = service;
  }

  async status(options?: CallOptions): Promise<SchedulerStatus> {
    const { startedAt, ...status } = await this.#caller.unary(this.#service.getStatus.bind(this.#service), {}, options);
    return { ...status, startedAtUs: microseconds(startedAt) };
  }

  /** Timers that wait: partition by partition, those of each in the order in which they are due. Page after page, as they are asked for. */
  timers(filter: TimerFilter = {}, options: Omit<PageOptions, 'positionToken'> = {}): AsyncGenerator<WaitingTimer, void, undefined> {
    const { partition, capability = '', key = '', dueUntilUs } = filter;
    const dueUntil = dueUntilUs === undefined ? undefined : timestampFromUs(dueUntilUs);
    return iteratePages(async ({ pageSize = 0, pageToken = '', ...call }) => {
      const request = { partition, capability, key, dueUntil, pageSize, pageToken };
      const page = await this.#caller.unary(this.#service.listTimers.bind(this.#service), request, call);
      return { items: page.timers.map(({ dueAt, ...timer }) => ({ ...timer, dueAtUs: microseconds(dueAt) })), nextPageToken: page.nextPageToken };
    }, options);
  }

  /** Tries parked timers again. Resolves with how many; those whose command still cannot be decided are parked again. */
  async redriveTimers({ partition, capability = '', key = '' }: ParkedTimers, options?: CallOptions): Promise<number> {
    return (await this.#caller.unary(this.#service.redriveTimers.bind(this.#service), { partition, capability, key }, options)).redriven;
  }

  /**
   * What is unfinished, partition by partition: deliveries without a verdict, dead letters of a pair first, then change tasks. Page after page, as they
   * are asked for. A task that is executed meanwhile may come twice.
   */
  unfinished(filter: UnfinishedFilter = {}, options: Omit<PageOptions, 'positionToken'> = {}): AsyncGenerator<UnfinishedDelivery, void, undefined> {
    const { partition, deadOnly = false } = filter;
    return iteratePages(async ({ pageSize = 0, pageToken = '', ...call }) => {
      const page = await this.#caller.unary(this.#service.listUnfinished.bind(this.#service), { partition, deadOnly, pageSize, pageToken }, call);
      const items = page.deliveries.map(({ owedAt, state, ...delivery }) => ({ ...delivery, state: STATES[state], owedAtUs: microseconds(owedAt) }));
      return { items, nextPageToken: page.nextPageToken };
    }, options);
  }

  /** Sends dead letters again, under the same ids. Resolves with how many; ids that are no dead letters are passed over. */
  async redrive(deliveries: readonly string[] | 'all dead', options?: CallOptions): Promise<number> {
    const request = deliveries === 'all dead' ? { deliveryIds: [], allDead: true } : { deliveryIds: [...deliveries], allDead: false };
    return (await this.#caller.unary(this.#service.redrive.bind(this.#service), request, options)).redriven;
  }
}

function microseconds(timestamp: Parameters<typeof usFromTimestamp>[0] | undefined): number {
  return timestamp === undefined ? 0 : Number(usFromTimestamp(timestamp));
}
