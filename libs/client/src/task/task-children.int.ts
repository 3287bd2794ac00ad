/** Waiting for the children of a task, against services that a test plays. */
import { Server, ServerCredentials, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { taskpb } from '@sluice/protocol/task';
import { SluiceClient, SluiceError } from '../index';

const PAGES = 10;
const PAGE = 100;
/** Its children are read late: the read store is behind. */
const SLOW_PARENT = 'q/slow';
const DEADLINE_MS = 50;

let server: Server;
let client: SluiceClient;
let target: string;
let pagesRead = 0;

/** A family of many pages, whose first child cannot be watched and whose others never end. */
const FAMILY: Partial<taskpb.TaskQueryServiceServer> = {
  listTasks: ({ request: { parentTaskId, pageToken } }, callback) => {
    if (parentTaskId === '') return callback(null, taskpb.ListTasksResponse.fromPartial({}));
    if (parentTaskId === SLOW_PARENT) return void setTimeout(() => callback(null, taskpb.ListTasksResponse.fromPartial({})), 10 * DEADLINE_MS);
    pagesRead += 1;
    const page = Number(pageToken);
    const tasks = Array.from({ length: PAGE }, (_, at) => ({ taskId: `q/${page * PAGE + at + 1}`, state: taskpb.TaskState.TASK_STATE_RUNNING }));
    return callback(null, taskpb.ListTasksResponse.fromPartial({ tasks, nextPageToken: page + 1 < PAGES ? String(page + 1) : '' }));
  },
  watchTask: (call) => {
    if (call.request.taskId === 'q/1') call.emit('error', { code: status.PERMISSION_DENIED, details: 'not yours' });
  },
};

beforeAll(async () => {
  server = new Server();
  server.addService(taskpb.TaskQueryServiceService, FAMILY as UntypedServiceImplementation);
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error))),
  );
  target = `127.0.0.1:${port}`;
  client = new SluiceClient({ target });
});

afterAll(() => {
  client.close();
  server.forceShutdown();
});

test('after one child cannot be waited for, no further ones are read', async () => {
  await expect(client.tasks.children('q/parent')).rejects.toThrow(SluiceError);
  // More answers than the family has pages.
  for (let at = 0; at < 2 * PAGES; at += 1) await client.tasks.listPage({ queue: 'q' });
  expect(pagesRead).toBe(1);
});

test('a read store that is behind for longer than a call may take is waited for', async () => {
  const hasty = new SluiceClient({ target, deadlineMs: DEADLINE_MS });
  await expect(hasty.tasks.children(SLOW_PARENT)).resolves.toEqual([]);
  hasty.close();
});
