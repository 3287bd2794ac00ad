/** The scheduler, for those who operate it: which instance acts, and what waits. */
import { type schedulerpb, timestampFromUs, usFromTimestamp } from '@sluice/protocol';
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
  /** True: the version of Sluice that its owner runs cannot decide it. It waits, and is tried again when its partition is loaded again. */
  readonly parked: boolean;
}

export interface TimerFilter {
  readonly partition?: number;
  readonly capability?: string;
  readonly key?: string;
  /** Only those that are due then or before; microseconds since the epoch. */
  readonly dueUntilUs?: number;
}

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
}

function microseconds(timestamp: Parameters<typeof usFromTimestamp>[0] | undefined): number {
  return timestamp === undefined ? 0 : Number(usFromTimestamp(timestamp));
}
