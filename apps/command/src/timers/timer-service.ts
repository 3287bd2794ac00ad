/** The timers of the partitions that this instance serves, for the scheduler. */
import { pageOfTimers, type DueTimers, type TimerFilter } from '@sluice/engine';
import type { Clock } from '@sluice/ports';
import { logpb } from '@sluice/protocol';
import { serverStream, unary, type CallContext, type ServiceRegistration } from '@sluice/service';
import { notOwner } from '../peers/not-owner';

/** The scheduler learns so often what the clock of this instance says, and how many timers wait. */
const BEAT_MS = 5_000;
const MAXIMUM_PAGE = 1_000;

export function timerRegistration(timers: DueTimers, clock: Clock): ServiceRegistration {
  const service = new TimerService(timers, clock);
  return {
    name: 'sluice.log.v1.TimerService',
    definition: logpb.TimerServiceService,
    access: 'operate',
    implementation: {
      watchDue: serverStream<logpb.WatchDueRequest, logpb.WatchDueResponse>((_request, call) => service.watchDue(call)),
      fire: unary<logpb.FireRequest, logpb.FireResponse>((request) => service.fire(request)),
      redriveParked: unary<logpb.RedriveParkedRequest, logpb.RedriveParkedResponse>((request) => service.redriveParked(request)),
      listPending: unary<logpb.ListPendingRequest, logpb.ListPendingResponse>((request) => service.listPending(request)),
    },
  };
}

class TimerService {
  constructor(
    private readonly timers: DueTimers,
    private readonly clock: Clock,
  ) {}

  async *watchDue({ signal }: CallContext): AsyncGenerator<logpb.WatchDueResponse> {
    const { timers, clock } = this;
    let changed = new Set(timers.partitions);
    let wake = (): void => undefined;
    const endWatch = timers.watch((partition) => {
      changed.add(partition);
      wake();
    });
    const aborted = (): void => wake();
    signal.addEventListener('abort', aborted);
    try {
      while (!signal.aborted) {
        const told = [...changed];
        changed = new Set();
        yield { partitions: told.map((partition) => this.stateOf(partition)), nowUs: this.nowUs() };
        if (changed.size > 0 || signal.aborted) continue;
        const isBeat = await new Promise<boolean>((resolve) => {
          const cancel = clock.after(BEAT_MS, () => resolve(true));
          wake = () => {
            cancel();
            resolve(false);
          };
        });
        if (isBeat) changed = new Set(timers.partitions);
      }
    } finally {
      wake();
      endWatch();
      signal.removeEventListener('abort', aborted);
    }
  }

  async fire({ partition, upToUs }: logpb.FireRequest): Promise<logpb.FireResponse> {
    const served = this.timers.of(partition);
    if (served === undefined) throw notOwner(partition);
    await served.fire(Number(upToUs));
    return { state: this.stateOf(partition), nowUs: this.nowUs() };
  }

  async listPending(request: logpb.ListPendingRequest): Promise<logpb.ListPendingResponse> {
    const served = this.timers.of(request.partition);
    if (served === undefined) throw notOwner(request.partition);
    const page = await pageOfTimers(served.room.pending, filterOf(request), Math.min(Math.max(request.limit, 1), MAXIMUM_PAGE));
    return {
      timers: page.map(({ timer: { number, ...timer }, parked }) => ({
        timer: { ...timer, dueAtUs: BigInt(timer.dueAtUs), payload: Buffer.alloc(0) },
        number: BigInt(number),
        parked,
      })),
    };
  }

  async redriveParked({ partition, capability, key }: logpb.RedriveParkedRequest): Promise<logpb.RedriveParkedResponse> {
    const served = this.timers.of(partition);
    if (served === undefined) throw notOwner(partition);
    const filter: TimerFilter = { parkedOnly: true, ...(capability !== '' && { capability }), ...(key !== '' && { key }) };
    const parked = await pageOfTimers(served.room.pending, filter, MAXIMUM_PAGE);
    return { redriven: await served.redrive(parked.map(({ timer }) => timer.number)) };
  }

  private stateOf(partition: number): logpb.DueState {
    const served = this.timers.of(partition);
    if (served === undefined) return { partition, served: false, earliestDueUs: 0n, pending: 0n };
    const { earliestDueUs, pending } = served.state;
    return { partition, served: true, earliestDueUs: BigInt(earliestDueUs ?? 0), pending: BigInt(pending) };
  }

  private nowUs(): bigint {
    return BigInt(this.clock.nowUs());
  }
}

function filterOf({ capability, key, dueUntilUs, afterDueUs, afterNumber }: logpb.ListPendingRequest): TimerFilter {
  return {
    ...(capability !== '' && { capability }),
    ...(key !== '' && { key }),
    ...(dueUntilUs !== 0n && { dueUntilUs: Number(dueUntilUs) }),
    ...(afterNumber !== 0n && { after: { dueAtUs: Number(afterDueUs), number: Number(afterNumber) } }),
  };
}
