/** Change tasks of a partition: timers whose command does what a caller was promised. They are listed behind its deliveries, as what is unfinished. */
import { pageOfTimers, type DueTimers, type PendingTimer, type TimerPosition } from '@sluice/engine';
import { logpb, timestampFromUs } from '@sluice/protocol';
import type { ChangeTaskMethod, CommandCapability } from '../command-capability';

const PARKED = 'its command cannot be decided by the version of Sluice that runs here; "sluice timers redrive" tries it again';

/** Before all tasks of a partition. */
export const BEFORE_ALL_TASKS: TimerPosition = { dueAtUs: 0, number: 0 };

export interface ChangeTaskPage {
  readonly tasks: readonly logpb.UnfinishedDelivery[];
  /** The next page begins behind it; undefined: there is none. */
  readonly next: TimerPosition | undefined;
}

export interface ChangeTaskPlace {
  /** The page begins behind it. */
  readonly after: TimerPosition;
  /** 0: only whether there are tasks is asked. */
  readonly limit: number;
  /** Only tasks whose command cannot be decided. */
  readonly parkedOnly: boolean;
}

export class ChangeTasks {
  /** By capability and method. */
  private readonly methods = new Map<string, ChangeTaskMethod>();

  constructor(
    private readonly timers: Pick<DueTimers, 'of'>,
    capabilities: readonly Pick<CommandCapability, 'name' | 'changeTasks'>[],
  ) {
    for (const { name, changeTasks = [] } of capabilities) for (const task of changeTasks) this.methods.set(`${name}.${task.method}`, task);
  }

  /** In the order in which they are due. */
  async list(partition: number, { after, limit, parkedOnly }: ChangeTaskPlace): Promise<ChangeTaskPage> {
    const served = this.timers.of(partition);
    if (served === undefined) return { tasks: [], next: undefined };
    const filter = { matches: (timer: PendingTimer) => this.methodOf(timer) !== undefined, parkedOnly, after };
    const page = await pageOfTimers(served.room.pending, filter, limit + 1);
    const tasks = page.slice(0, limit).map(({ timer, parked }) => unfinishedOf(partition, timer, parked, this.methodOf(timer)));
    return { tasks, next: page.length > limit ? (page[limit - 1]?.timer ?? after) : undefined };
  }

  private methodOf({ capability, method }: PendingTimer): ChangeTaskMethod | undefined {
    return this.methods.get(`${capability}.${method}`);
  }
}

function unfinishedOf(partition: number, timer: PendingTimer, parked: boolean, task: ChangeTaskMethod | undefined): logpb.UnfinishedDelivery {
  const { capability, key, method } = timer;
  const { taskId, takenAtUs, attempts, reason } = stateOf(timer, task);
  return {
    deliveryId: '',
    state: stateToProto(parked, attempts),
    source: partition,
    target: partition,
    owedBy: capability,
    owedByKey: key,
    capability,
    method,
    key,
    owedAt: timestampFromUs(takenAtUs),
    attempts,
    reason: parked ? PARKED : reason,
    taskId,
  };
}

/** A task that does not decode is parked when it is due; it is listed by what is known of its timer. */
function stateOf({ timerId, payload, dueAtUs }: PendingTimer, task: ChangeTaskMethod | undefined): ReturnType<ChangeTaskMethod['read']> {
  const unknown = { taskId: timerId, takenAtUs: dueAtUs, attempts: 0, reason: '' };
  try {
    return task?.read(payload) ?? unknown;
  } catch {
    return unknown;
  }
}

function stateToProto(parked: boolean, attempts: number): logpb.DeliveryState {
  if (parked) return logpb.DeliveryState.DELIVERY_STATE_DEAD;
  return attempts === 0 ? logpb.DeliveryState.DELIVERY_STATE_WAITING : logpb.DeliveryState.DELIVERY_STATE_RETRYING;
}
