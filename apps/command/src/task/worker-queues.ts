/** What a worker's stream asks of queues, wherever their owners are: here by a call, at another instance by a hop. */
import type { MethodDefinition } from '@grpc/grpc-js';
import type { PartitionHop } from '@sluice/engine';
import { taskpb } from '@sluice/protocol/task';
import { GatheredCall, type CallContext } from '@sluice/service';
import { randomUUID } from 'node:crypto';
import type { Reported, QueueWork, Take } from './queue-work';

/** How long an instance waits at another one for tasks; then it asks again. */
const REMOTE_WAIT_MS = 1_000;
/** A hop that is not answered by then is asked again. */
const ANSWER_MS = 10_000;

export class WorkerQueues {
  constructor(
    private readonly work: QueueWork,
    private readonly hop: PartitionHop<CallContext> | undefined,
  ) {}

  /** Resolves with true when something can be taken, with false when the wait is over. Rejects when the owner does not answer. */
  async awaitTasks(
    partition: number,
    { queues, types }: Pick<Take, 'queues' | 'types'>,
    held: readonly taskpb.Lease[],
    onStops: (stops: readonly taskpb.Stop[]) => void,
    call: CallContext,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (this.work.serves(partition)) return this.work.awaitTasks(partition, queues, types, signal);
    const request = { partition, queues: [...queues], types: [...(types ?? [])], held: [...held], waitMs: REMOTE_WAIT_MS };
    const { ready, stops } = await this.ask(taskpb.TaskLeaseServiceService.awaitTasks, partition, request, call);
    onStops(stops);
    return ready;
  }

  async take(partition: number, take: Take, call: CallContext): Promise<readonly taskpb.AssignedTask[]> {
    const requestId = randomUUID();
    if (this.work.serves(partition)) return this.work.take(requestId, partition, take);
    const { queues, types, maximumTasks, workerId } = take;
    const request = { requestId, partition, queues: [...queues], types: [...(types ?? [])], maximumTasks, workerId };
    return (await this.ask(taskpb.TaskLeaseServiceService.takeTasks, partition, request, call)).tasks;
  }

  async report(partition: number, report: taskpb.WorkRequest, call: CallContext): Promise<Reported> {
    if (this.work.serves(partition)) return this.work.report(partition, report);
    return this.ask(taskpb.TaskLeaseServiceService.reportTasks, partition, { partition, report }, call);
  }

  /** Attempts that are ended here by others than their workers are told at once. */
  onStop(lease: taskpb.Lease, listener: (stop: taskpb.Stop) => void): () => void {
    return this.work.onStop(lease, listener);
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
