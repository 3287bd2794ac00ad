/** TaskLeaseService: what other instances ask of the queues of this one, for the workers whose streams they have. */
import { taskpb } from '@sluice/protocol/task';
import { peersOnly, unary, type CallContext, type ServiceRegistration } from '@sluice/service';
import type { Clock } from '@sluice/ports';
import { notOwner } from '../peers/not-owner';
import type { QueueWork } from './queue-work';

/** However long the other one would wait. */
const MAXIMUM_WAIT_MS = 5_000;

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
      awaitTasks: unary(async ({ partition, queues, types, held, waitMs }: taskpb.AwaitTasksRequest): Promise<taskpb.AwaitTasksResponse> => {
        serving(partition);
        const lost = held.flatMap((lease) => work.stopIfLost(partition, lease) ?? []);
        if (lost.length > 0) return { ready: false, stops: lost };
        const waiting = new AbortController();
        const stops: taskpb.Stop[] = [];
        const end = (): void => waiting.abort();
        const cancelTimer = clock.after(Math.min(waitMs, MAXIMUM_WAIT_MS), end);
        const forget = held.map((lease) =>
          work.onStop(lease, (stop) => {
            stops.push(stop);
            end();
          }),
        );
        try {
          return { ready: await work.awaitTasks(partition, queues, types.length === 0 ? undefined : types, waiting.signal), stops };
        } finally {
          cancelTimer();
          for (const one of forget) one();
        }
      }),
      takeTasks: unary(async ({ requestId, partition, types, ...take }: taskpb.TakeTasksRequest): Promise<taskpb.TakeTasksResponse> => {
        serving(partition);
        return { tasks: await work.take(requestId, partition, { ...take, types: types.length === 0 ? undefined : types }) };
      }),
      reportTasks: unary(async ({ partition, report }: taskpb.ReportTasksRequest, _call: CallContext): Promise<taskpb.ReportTasksResponse> => {
        serving(partition);
        return work.report(partition, report ?? taskpb.WorkRequest.fromPartial({}));
      }),
    },
  });
}
