/** TaskLeaseService: what other instances ask of the queues of this one, for the workers whose streams they have. */
import { taskpb } from '@sluice/protocol/task';
import { peersOnly, serverStream, unary, type CallContext, type ServiceRegistration } from '@sluice/service';
import type { Clock } from '@sluice/ports';
import { notOwner } from '../peers/not-owner';
import type { QueueWork } from './queue-work';

/** However long the other one would wait. */
const MAXIMUM_WAIT_MS = 5_000;
/** Stops that wait for an instance that does not read them; beyond them its stream ends, and it asks again with its leases. */
const MAXIMUM_WAITING_STOPS = 20_000;

export function leaseRegistration(work: QueueWork, clock: Clock): ServiceRegistration {
  const serving = (partition: number): void => {
    if (!work.serves(partition)) throw notOwner(partition);
  };
  return peersOnly({
    name: 'sluice.task.v1.TaskLeaseService',
    definition: taskpb.TaskLeaseServiceService,
    // Of the worker for which the other instance asks.
    access: 'post',
    implementation: {
      awaitTasks: unary(async ({ partition, queues, types, waitMs }: taskpb.AwaitTasksRequest): Promise<taskpb.AwaitTasksResponse> => {
        serving(partition);
        const waiting = new AbortController();
        const cancelTimer = clock.after(Math.min(waitMs, MAXIMUM_WAIT_MS), () => waiting.abort());
        try {
          return { ready: (await work.awaitTasks(partition, { queues, types: types.length === 0 ? undefined : types }, waiting.signal)) !== false };
        } finally {
          cancelTimer();
        }
      }),
      takeTasks: unary(async ({ requestId, partition, types, from, ...take }: taskpb.TakeTasksRequest): Promise<taskpb.TakeTasksResponse> => {
        serving(partition);
        const started = await work.startOnce(requestId, partition, { ...take, types: types.length === 0 ? undefined : types });
        return started.page(from);
      }),
      reportTasks: unary(async ({ partition, report }: taskpb.ReportTasksRequest, _call: CallContext): Promise<taskpb.ReportTasksResponse> => {
        serving(partition);
        return work.report(partition, report ?? taskpb.WorkRequest.fromPartial({}));
      }),
      watchStops: serverStream<taskpb.WatchStopsRequest, taskpb.WatchStopsResponse>((request, call) => {
        serving(request.partition);
        return stopsOf(work, request, call.signal);
      }),
    },
  });
}

/** First which of the leases are not in force any more, then the stops of the partition as they are decided. */
async function* stopsOf(work: QueueWork, { partition, held }: taskpb.WatchStopsRequest, signal: AbortSignal): AsyncGenerator<taskpb.WatchStopsResponse> {
  let waiting: taskpb.Stop[] = [];
  let wake = (): void => undefined;
  const ended = (): void => wake();
  const forget = work.stops.follow(partition, (stop) => {
    waiting.push(stop);
    wake();
  });
  signal.addEventListener('abort', ended);
  try {
    yield { stops: held.flatMap((lease) => work.stopIfLost(partition, lease) ?? []) };
    while (!signal.aborted && waiting.length <= MAXIMUM_WAITING_STOPS) {
      const stops = waiting;
      waiting = [];
      if (stops.length > 0) yield { stops };
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    signal.removeEventListener('abort', ended);
    forget();
  }
}
