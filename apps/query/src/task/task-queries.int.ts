/** Reads of tasks, queues and schedules over gRPC: how new their answers are. */
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { MemoryReadStore } from '@sluice/memory';
import type { RowWrite } from '@sluice/ports';
import { projectionId, READ_COLLECTIONS } from '@sluice/projections';
import { projection, TASK_SCHEDULES, TASK_STATES } from '@sluice/projections/task';
import { encodePositionToken } from '@sluice/protocol';
import { taskpb } from '@sluice/protocol/task';
import { errorInfoOf, type RunningServer, startServer } from '@sluice/service';
import { type QueryRuntime, startQuery } from '../query';
import { first, unary } from '../test/calls';

const INCARNATION = 'ab'.repeat(16);
const AT_US = 1_767_225_600_000_000;
const tokenOf = (...sequences: [number, number][]): string => encodePositionToken({ incarnation: INCARNATION, sequences: new Map(sequences) });

const ROWS: readonly RowWrite[] = [
  {
    kind: 'put',
    collection: TASK_STATES.name,
    row: {
      task_id: 'q/1',
      partition: 0,
      queue: 'q',
      number: 1,
      type: 'mail',
      state: 'SUBMITTED',
      version: 1,
      submitted_at_us: AT_US,
      first_started_at_us: 0,
      ended_at_us: 0,
      attempts: 0,
      worker_id: '',
      started_at_us: 0,
      failure: null,
      note: '',
      sequence: 1,
    },
  },
  {
    kind: 'put',
    collection: TASK_SCHEDULES.name,
    row: {
      schedule_id: 'q/nightly',
      partition: 0,
      queue: 'q',
      name: 'nightly',
      spec: taskpb.ScheduleSpec.encode(taskpb.ScheduleSpec.fromPartial({})).finish(),
      paused: false,
      deleted: false,
      next_runs_us: '',
      run_count: 0,
      skipped_count: 0,
      last_task_id: '',
      last_run_at_us: 0,
      sequence: 1,
    },
  },
];

interface Tokens {
  readonly positionToken: string;
  readonly positionTokens: string[];
}

let store: MemoryReadStore;
let query: QueryRuntime;
let server: RunningServer;
let tasks: taskpb.TaskQueryServiceClient;
let schedules: taskpb.ScheduleQueryServiceClient;

/** The projector has one commit more of the partition. */
async function projected(partition: number, previousSequence: number, writes: readonly RowWrite[] = []): Promise<void> {
  const sequence = previousSequence + 1;
  const batch = { partition, projections: [projectionId(projection)], previousSequence, sequence, committedAtUs: AT_US, writes };
  await (await store.current()).apply(batch);
}

beforeEach(async () => {
  store = new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 2 } });
  await projected(0, 0, ROWS);
  query = await startQuery({ readStore: store });
  server = await startServer({ host: '127.0.0.1', port: 0 }, query.registrations);
  tasks = new taskpb.TaskQueryServiceClient(server.address, credentials.createInsecure());
  schedules = new taskpb.ScheduleQueryServiceClient(server.address, credentials.createInsecure());
});

afterEach(async () => {
  tasks.close();
  schedules.close();
  await server.stop(100);
  await query.stop();
  await store.close();
});

const QUERIES: Readonly<Record<string, (tokens: Tokens) => Promise<{ readonly positionToken: string }>>> = {
  GetTask: (tokens) => unary(tasks.getTask.bind(tasks), { taskId: 'q/1', ...tokens }),
  ListTasks: (tokens) => unary(tasks.listTasks.bind(tasks), taskpb.ListTasksRequest.fromPartial({ queue: 'q', ...tokens })),
  GetQueueStats: (tokens) => unary(tasks.getQueueStats.bind(tasks), { queue: 'q', ...tokens }),
  ListQueues: (tokens) => unary(tasks.listQueues.bind(tasks), { pageSize: 0, pageToken: '', ...tokens }),
  WatchTask: (tokens) => first(tasks.watchTask({ taskId: 'q/1', ...tokens })),
  WatchQueue: (tokens) => first(tasks.watchQueue({ queue: 'q', ...tokens })),
  GetSchedule: (tokens) => unary(schedules.getSchedule.bind(schedules), { scheduleId: 'q/nightly', ...tokens }),
  ListSchedules: (tokens) => unary(schedules.listSchedules.bind(schedules), { queue: '', pageSize: 0, pageToken: '', ...tokens }),
};

test('every query of tasks and schedules is listed here', () => {
  const methods = [taskpb.TaskQueryServiceService, taskpb.ScheduleQueryServiceService].flatMap((service) =>
    Object.values(service).map(({ path }: { readonly path: string }) => path.split('/').at(-1)),
  );
  expect(Object.keys(QUERIES).sort()).toEqual(methods.sort());
});

test.each(Object.entries(QUERIES))('%s waits for every token of its request, and brings one that stands for all of them', async (_name, ask) => {
  let answered = false;
  const answer = ask({ positionToken: tokenOf([0, 1]), positionTokens: [tokenOf([0, 2]), tokenOf([1, 1])] }).finally(() => {
    answered = true;
  });
  await projected(0, 1);
  // A query that covers what is there now is answered; the other one still waits for the second partition.
  await ask({ positionToken: '', positionTokens: [tokenOf([0, 2])] });
  expect(answered).toBe(false);
  await projected(1, 0);
  expect((await answer).positionToken).toBe(tokenOf([0, 2], [1, 1]));
});

test.each(Object.entries(QUERIES))('%s without a token brings none, and refuses tokens of two logs', async (_name, ask) => {
  expect((await ask({ positionToken: '', positionTokens: [] })).positionToken).toBe('');
  const ofTwoLogs = [tokenOf([0, 1]), encodePositionToken({ incarnation: 'cd'.repeat(16), sequences: new Map([[0, 1]]) })];
  const refused = await ask({ positionToken: '', positionTokens: ofTwoLogs }).catch((error: ServiceError) => error);
  expect([status[(refused as ServiceError).code], errorInfoOf(refused as ServiceError)?.reason]).toEqual(['INVALID_ARGUMENT', 'TOKEN_INVALID']);
});
