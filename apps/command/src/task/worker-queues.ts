/** What a worker's stream asks of queues, wherever their owners are: here by a call, at another instance by a hop. */
import type { MethodDefinition } from '@grpc/grpc-js';
import { taskNameOf } from '@sluice/domain/task';
import type { PartitionHop } from '@sluice/engine';
import type { Clock } from '@sluice/ports';
import { taskpb } from '@sluice/protocol/task';
import { GatheredCall, type CallContext } from '@sluice/service';
import { randomUUID } from 'node:crypto';
import { OwnerStops } from './owner-stops';
import type { Offer, Reported, QueueWork, Take } from './queue-work';
import type { StartedTasks } from './started-tasks';
import type { StopListener } from './stop-listeners';

/** How long an instance waits at another one for tasks; then it asks again. */
const REMOTE_WAIT_MS = 1_000;
/** A hop that is not answered by then is asked again. */
const ANSWER_MS = 10_000;

export class WorkerQueues {
  /** Undefined: every partition is served here. */
  private readonly ownerStops: OwnerStops | undefined;

  constructor(
    private readonly work: QueueWork,
    private readonly hop: PartitionHop<CallContext> | undefined,
    private readonly partitionOf: (queue: string) => number,
    clock: Clock,
  ) {
    this.ownerStops = hop && new OwnerStops(work.stops, hop, clock);
  }

  close(): void {
    this.ownerStops?.close();
  }

  /**
   * Resolves with true when something can be taken, with what was started meanwhile, or with false when the wait is over. Rejects when the owner does
   * not answer.
   */
  async awaitTasks(
    partition: number,
    { queues, types }: Pick<Take, 'queues' | 'types'>,
    call: CallContext,
    signal: AbortSignal,
    offer: Offer,
  ): Promise<boolean | StartedTasks> {
    if (this.work.serves(partition)) return this.work.awaitTasks(partition, { queues, types }, signal, offer);
    const request = { partition, queues: [...queues], types: [...(types ?? [])], waitMs: REMOTE_WAIT_MS };
    return (await this.ask(taskpb.TaskLeaseServiceService.awaitTasks, partition, request, call)).ready;
  }

  /** Starts attempts; brings the tasks when that is durable, as many at a time as fit a message. */
  async *take(partition: number, take: Take, call: CallContext): AsyncGenerator<readonly taskpb.AssignedTask[]> {
    if (this.work.serves(partition)) {
      yield* (await this.work.start(partition, take)).pages();
      return;
    }
    const { queues, types, maximumTasks, workerId, keepsLimits } = take;
    const request = { requestId: randomUUID(), partition, queues: [...queues], types: [...(types ?? [])], maximumTasks, workerId, keepsLimits };
    let from = 0;
    do {
      const { tasks, next } = await this.ask(taskpb.TaskLeaseServiceService.takeTasks, partition, { ...request, from }, call);
      if (tasks.length > 0) yield tasks;
      from = next;
    } while (from > 0);
  }

  async report(partition: number, report: taskpb.WorkRequest, call: CallContext): Promise<Reported> {
    if (this.work.serves(partition)) return this.work.report(partition, report);
    return this.ask(taskpb.TaskLeaseServiceService.reportTasks, partition, { partition, report }, call);
  }

  /** Tells when the attempt is ended by others than its worker, wherever the queue's owner is. Returns how to stop listening. */
  onStop(lease: taskpb.Lease, listener: StopListener): () => void {
    const forget = this.work.stops.onStop(lease, listener);
    const name = taskNameOf(lease.taskId);
    const release = name === undefined ? undefined : this.ownerStops?.hold(this.partitionOf(name.queue), lease);
    return () => {
      forget();
      release?.();
    };
  }

  private async ask<Request, Response>(
    { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
    partition: number,
    request: Request,
    { caller }: CallContext,
  ): Promise<Response> {
    if (this.hop === undefined) throw new Error(`partition ${partition} is loading`);
    const call = new GatheredCall(caller, Date.now() + ANSWER_MS);
    return responseDeserialize(await this.hop.send(partition, { path, repeatable: true }, requestSerialize(request), call));
  }
}
