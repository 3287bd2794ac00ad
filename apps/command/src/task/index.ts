/** Tasks, as the command service plugs them in. */
import { taskpb, writeWorkResponse } from '@sluice/protocol/task';
import { bidi, type CallContext, type Send } from '@sluice/service';
import type { CommandCapability } from '../command-capability';
import { partitionOfKey } from '../methods/partition-share';
import { OwnHandlers } from './handlers/own-handlers';
import { leaseRegistration } from './lease-service';
import { QueueMeter } from './queue-meter';
import { QueueWork } from './queue-work';
import { QueuesState } from './queues-state';
import { TaskCommandService } from './task-command-service';
import { WorkerQueues } from './worker-queues';
import { serveWorkStream } from './work-stream';

export const commandCapability: CommandCapability = {
  name: 'task',
  definitions: [taskpb.TaskCommandServiceService, taskpb.ScheduleCommandServiceService, taskpb.TaskWorkerServiceService, taskpb.TaskLeaseServiceService],
  create({ clock, trouble, metrics, settings: { taskHandlers: module, taskHandlerThreads: threads, taskMetricQueues } }) {
    const work = new QueueWork(clock);
    const meter = metrics.enabled ? new QueueMeter(metrics, taskMetricQueues) : undefined;
    let endShowing: (() => void) | undefined;
    let queues: WorkerQueues | undefined;
    const handlers = module === undefined ? undefined : new OwnHandlers({ module, threads, clock, trouble });
    return {
      capability: {
        name: 'task',
        createState: (services) => new QueuesState(services, clock, work, (what, error) => trouble(services.partition, what, error), meter),
      },
      prepare: async () => handlers?.load(),
      services(context) {
        work.begin(context.engine);
        endShowing = meter?.show(
          () => work.entries(),
          () => clock.nowUs(),
        );
        const partitionOf = (queue: string): number => partitionOfKey(context.engine, queue);
        queues = new WorkerQueues(work, context.hop, partitionOf, clock);
        handlers?.begin(work, queues);
        const streams = { queues, clock, partitionOf };
        const worker = {
          name: 'sluice.task.v1.TaskWorkerService',
          definition: { work: { ...taskpb.TaskWorkerServiceService.work, responseSerialize: writeWorkResponse } },
          implementation: {
            work: bidi((requests: AsyncIterable<taskpb.WorkRequest>, send: Send<taskpb.WorkResponse>, call: CallContext) =>
              serveWorkStream(streams, requests, send, call),
            ),
          },
          access: 'post' as const,
        };
        return [...new TaskCommandService(context).registrations(), worker, leaseRegistration(work, clock)];
      },
      drain: async (graceMs) => handlers?.drain(graceMs),
      stop: async () => {
        endShowing?.();
        work.stop();
        queues?.close();
        handlers?.end();
      },
    };
  },
};
