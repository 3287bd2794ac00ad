/** Tasks, as the client plugs them in. */
import { taskpb } from '@sluice/protocol/task';
import type { ClientCapability } from '../client-capability';
import { TasksClient } from './tasks-client';

export const clientCapability: ClientCapability<{ readonly tasks: TasksClient }> = {
  name: 'task',
  clients: ({ caller, positions, reads, command, query }) => ({
    tasks: new TasksClient({
      caller,
      commands: command(taskpb.TaskCommandServiceClient),
      scheduleCommands: command(taskpb.ScheduleCommandServiceClient),
      queries: query(taskpb.TaskQueryServiceClient),
      scheduleQueries: query(taskpb.ScheduleQueryServiceClient),
      workers: command(taskpb.TaskWorkerServiceClient),
      positions,
      reads,
    }),
  }),
};
