/** The positions that reads of tasks, queues and schedules carry. */
import { type handleServerStreamingCall, type handleUnaryCall, Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { taskpb } from '@sluice/protocol/task';
import { SluiceClient } from '../index';

type Read = { readonly positionToken: string; readonly positionTokens: readonly string[] };

const { TaskQueryServiceService: TASKS, ScheduleQueryServiceService: SCHEDULES } = taskpb;
const seen: string[][] = [];
let server: Server;
let client: SluiceClient;

/** Notes what each read carries, and answers with nothing in particular. */
function noting(definition: typeof TASKS | typeof SCHEDULES): UntypedServiceImplementation {
  const note = ({ positionToken, positionTokens }: Read): unknown => seen.push([positionToken, ...positionTokens]);
  const methods = Object.entries(definition).map(([name, { responseStream, responseDeserialize }]) => {
    const answer = { ...responseDeserialize(Buffer.alloc(0)), task: taskpb.Task.fromPartial({}), schedule: taskpb.Schedule.fromPartial({}) };
    const unary: handleUnaryCall<Read, unknown> = ({ request }, callback) => {
      note(request);
      callback(null, answer);
    };
    const streaming: handleServerStreamingCall<Read, unknown> = (call) => {
      note(call.request);
      call.end();
    };
    return [name, responseStream ? streaming : unary];
  });
  return Object.fromEntries(methods) as UntypedServiceImplementation;
}

beforeAll(async () => {
  server = new Server();
  server.addService(TASKS, noting(TASKS));
  server.addService(SCHEDULES, noting(SCHEDULES));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error))),
  );
  client = new SluiceClient({ target: `127.0.0.1:${port}` });
});

afterAll(() => {
  client.close();
  server.forceShutdown();
});

async function drained(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _item of items);
}

test('every read carries the tokens of several replies', async () => {
  const options = { positionToken: 'mine', positionTokens: ['of another client', 'of a third one'] };
  const { tasks } = client;
  await tasks.get('q/1', options);
  await tasks.listPage({ queue: 'q' }, options);
  await drained(tasks.list({ queue: 'q' }, options));
  await drained(tasks.watch('q/1', options));
  await tasks.queueStats('q', options);
  await drained(tasks.queues(options));
  await drained(tasks.watchQueue('q', options));
  await tasks.getSchedule('q/nightly', options);
  await drained(tasks.schedules('q', options));
  expect(seen).toEqual(Array.from({ length: 9 }, () => ['mine', 'of another client', 'of a third one']));
});
