import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { type ChannelCredentials, type ClientReadableStream, credentials, type ServiceError, status, type StatusObject } from '@grpc/grpc-js';
import { StoreUnavailableError } from '@sluice/ports';
import { healthpb, schedulerpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { ManualClock } from '@sluice/memory';
import { createLogger, type Metrics } from '@sluice/telemetry';
import { UNREAD_MS } from './answer-flow';
import type { CallContext } from './call-context';
import { HopProof } from './hop-proof';
import { bidi, serverStream, unary } from './handlers';
import { type RunningServer, startServer, type ServerOptions } from './server';
import type { ServiceRegistration } from './service-runtime';
import { errorInfoOf, invalidRequest, refusal } from './sluice-error';

const HOST = '127.0.0.1';
const servers: RunningServer[] = [];
const clients: { close(): void }[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(servers.splice(0).map((server) => server.stop(0)));
});

async function start(registrations: readonly ServiceRegistration[], options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  const server = await startServer({ host: HOST, port: 0, ...options }, registrations);
  servers.push(server);
  server.setServing(true);
  return server;
}

type GetStatus = (request: schedulerpb.GetStatusRequest, call: CallContext) => Promise<schedulerpb.GetStatusResponse>;

const ANSWER: schedulerpb.GetStatusResponse = { startedAt: undefined, instanceId: 'one', active: true, waitingTimers: 3n, unfinished: 0n };

const unused = unary(async () => {
  throw refusal('INTERNAL', 'not part of this test');
});

function scheduler(getStatus: GetStatus = async () => ANSWER): ServiceRegistration {
  return {
    name: 'sluice.scheduler.v1.SchedulerService',
    definition: { getStatus: schedulerpb.SchedulerServiceService.getStatus },
    implementation: { getStatus: unary(getStatus), listTimers: unused },
  };
}

function query(methods: Partial<Record<keyof accountpb.AccountQueryServiceServer, unknown>>): ServiceRegistration {
  const implementation = Object.fromEntries(Object.keys(accountpb.AccountQueryServiceService).map((name) => [name, unused]));
  return {
    name: 'sluice.account.v1.AccountQueryService',
    definition: accountpb.AccountQueryServiceService,
    implementation: { ...implementation, ...methods } as ServiceRegistration['implementation'],
  };
}

function command(methods: Partial<Record<keyof accountpb.AccountCommandServiceServer, unknown>>): ServiceRegistration {
  const implementation = Object.fromEntries(Object.keys(accountpb.AccountCommandServiceService).map((name) => [name, unused]));
  return {
    name: 'sluice.account.v1.AccountCommandService',
    definition: accountpb.AccountCommandServiceService,
    implementation: { ...implementation, ...methods } as ServiceRegistration['implementation'],
  };
}

type ClientClass<Client> = new (address: string, credentials: ChannelCredentials, options?: object) => Client;

function clientOf<Client extends { close(): void }>(type: ClientClass<Client>, server: RunningServer): Client {
  const client = new type(server.address, credentials.createInsecure(), { 'grpc.enable_retries': 0 });
  clients.push(client);
  return client;
}

/** The answer of a unary method, or its error. */
function call<Request, Response>(
  method: (request: Request, ...rest: never[]) => unknown,
  client: object,
  request: Request,
  options: object = {},
): Promise<Response> {
  return new Promise((resolve, reject) => {
    (method as unknown as (this: object, request: Request, metadata: object, callback: (error: ServiceError | null, response: Response) => void) => void).call(
      client,
      request,
      options,
      (error, response) => (error === null ? resolve(response) : reject(error)),
    );
  });
}

async function refusalOf(promise: Promise<unknown>): Promise<{ code: string; reason: string | undefined; message: string; metadata: object }> {
  const error = await promise.then(
    () => Promise.reject(new Error('the call succeeded')),
    (thrown: ServiceError) => thrown,
  );
  const info = errorInfoOf(error);
  return { code: status[error.code], reason: info?.reason, message: error.details, metadata: info?.metadata ?? {} };
}

const askStatus = (server: RunningServer, options?: object): Promise<schedulerpb.GetStatusResponse> => {
  const client = clientOf(schedulerpb.SchedulerServiceClient, server);
  return call(client.getStatus, client, {}, options);
};

/** Both of a promise and its levers. */
function deferred<Value = void>(): { promise: Promise<Value>; resolve: (value: Value) => void } {
  let resolve!: (value: Value) => void;
  const promise = new Promise<Value>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe('unary calls', () => {
  test('are answered', async () => {
    const server = await start([scheduler()]);
    expect(await askStatus(server)).toEqual(ANSWER);
  });

  test('a refusal carries code, reason, message and metadata', async () => {
    const server = await start([
      scheduler(async () => {
        throw invalidRequest('postings[3].amount_minor', 'is missing');
      }),
    ]);
    expect(await refusalOf(askStatus(server))).toEqual({
      code: 'INVALID_ARGUMENT',
      reason: 'INVALID_REQUEST',
      message: 'postings[3].amount_minor is missing',
      metadata: { field: 'postings[3].amount_minor' },
    });
  });

  test('a fault of ours says nothing but an id, and the log has the id and the cause', async () => {
    const lines: { errorId?: string; error?: { message: string } }[] = [];
    const logger = createLogger({ service: 'test', destination: { write: (line) => void lines.push(JSON.parse(line)) } });
    const server = await start(
      [
        scheduler(() => {
          throw new TypeError('the database password is wrong');
        }),
      ],
      { logger },
    );
    const refused = await refusalOf(askStatus(server));
    expect(refused).toMatchObject({ code: 'INTERNAL', reason: 'INTERNAL' });
    expect(refused.message).not.toContain('password');
    expect(lines[0]).toMatchObject({ errorId: (refused.metadata as { error_id: string }).error_id, error: { message: 'the database password is wrong' } });
  });

  test('a store that cannot be reached is no fault of ours: the caller is told to ask again', async () => {
    const server = await start([
      scheduler(() => {
        throw new StoreUnavailableError('mongodb-1 is away', { cause: undefined });
      }),
    ]);
    const refused = await refusalOf(askStatus(server));
    expect(refused).toMatchObject({ code: 'UNAVAILABLE', reason: 'READ_STORE_UNAVAILABLE' });
    expect(refused.message).not.toContain('mongodb-1');
  });

  test('an answer that cannot be encoded is a fault of ours', async () => {
    const server = await start([scheduler(async () => ({ ...ANSWER, waitingTimers: 'many' as unknown as bigint }))]);
    expect(await refusalOf(askStatus(server))).toMatchObject({ code: 'INTERNAL', reason: 'INTERNAL' });
  });

  test('the deadline is known to the handler, and its passing has a reason', async () => {
    const seen = deferred<unknown>();
    const server = await start([
      scheduler(async (_request, context) => {
        expect(context.deadlineMs).toBeLessThan(Date.now() + 10_000);
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
        seen.resolve(context.signal.reason);
        return ANSWER;
      }),
    ]);
    // A caller without a clock: one of grpc-js cancels the call at its deadline, and the server may hear of that first.
    const session = connectHttp2(`http://${server.address}`);
    const path = schedulerpb.SchedulerServiceService.getStatus.path;
    const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '500m' };
    const stream = session.request(headers);
    const answered = new Promise<unknown>((resolve) => {
      for (const event of ['response', 'trailers']) stream.on(event, (told: Record<string, unknown>) => told['grpc-status'] && resolve(told['grpc-status']));
    });
    stream.resume();
    stream.end(Buffer.alloc(5));
    expect(await seen.promise).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    expect(await answered).toBe(String(status.DEADLINE_EXCEEDED));
    session.destroy();
  });

  test('a call whose deadline is near is answered before it, with what is awaited', async () => {
    const clock = new ManualClock();
    const [running, ended] = [deferred<CallContext>(), deferred<unknown>()];
    const server = await start(
      [
        scheduler(async (_request, context) => {
          context.awaitedPartition = 3;
          running.resolve(context);
          await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
          ended.resolve(context.signal.reason);
          return ANSWER;
        }),
      ],
      { clock },
    );
    const answer = refusalOf(askStatus(server, { deadline: Date.now() + 60_000 }));
    await running.promise;
    clock.advance(60_000);
    expect(await answer).toEqual({
      code: 'DEADLINE_EXCEEDED',
      reason: 'DEADLINE_EXCEEDED',
      message: 'the time of the call is over before partition 3 has answered; the outcome may be unknown',
      metadata: { partition: '3' },
    });
    expect(await ended.promise).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
  });

  test('a call that its caller cancels is told to the handler', async () => {
    const [running, seen] = [deferred(), deferred<unknown>()];
    const server = await start([
      scheduler(async (_request, context) => {
        running.resolve();
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
        seen.resolve(context.signal.reason);
        return ANSWER;
      }),
    ]);
    const client = clientOf(schedulerpb.SchedulerServiceClient, server);
    const asked = client.getStatus({}, () => undefined);
    await running.promise;
    asked.cancel();
    expect(await seen.promise).toMatchObject({ reason: 'CANCELLED' });
  });

  test('bytes that are no message are the fault of the caller', async () => {
    const server = await start([query({ getAccount: unary(async () => ({ account: undefined })) })]);
    const client = clientOf(accountpb.AccountQueryServiceClient, server);
    const refused = new Promise((_resolve, reject) => {
      const { path } = accountpb.AccountQueryServiceService.getAccount;
      client.makeUnaryRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes) => bytes,
        Buffer.from([0x0a, 0xff, 0x01]),
        (error) => reject(error ?? new Error('accepted')),
      );
    });
    expect(await refusalOf(refused)).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' });
  });

  test('a service may take and give bytes', async () => {
    const { getStatus } = schedulerpb.SchedulerServiceService;
    const identity = (bytes: Buffer): Buffer => bytes;
    const server = await start([
      {
        name: 'sluice.scheduler.v1.SchedulerService',
        definition: { getStatus: { ...getStatus, requestDeserialize: identity, responseSerialize: identity } },
        implementation: {
          getStatus: unary(async (request: Buffer) => {
            expect(Buffer.isBuffer(request)).toBe(true);
            return Buffer.from(schedulerpb.GetStatusResponse.encode(ANSWER).finish());
          }),
        },
      },
    ]);
    expect(await askStatus(server)).toEqual(ANSWER);
  });

  test('a message above the limit is refused with advice, and one below passes', async () => {
    const server = await start([query({ getAccount: unary(async () => ({ account: undefined, positionToken: '' })) })], { maxMessageBytes: 1_000_000 });
    const client = clientOf(accountpb.AccountQueryServiceClient, server);
    expect(await call(client.getAccount, client, { accountId: 'x'.repeat(900_000), positionToken: '', positionTokens: [] })).toEqual({
      account: undefined,
      positionToken: '',
    });
    for (const bytes of [1_100_000, 3_000_000]) {
      expect(await refusalOf(call(client.getAccount, client, { accountId: 'x'.repeat(bytes), positionToken: '', positionTokens: [] }))).toEqual({
        code: 'RESOURCE_EXHAUSTED',
        reason: 'MESSAGE_TOO_LARGE',
        message: 'the message is larger than 1000000 bytes; send smaller batches',
        metadata: {},
      });
    }
  });

  test('a service without an implementation for every method does not start', async () => {
    await expect(startServer({ host: HOST, port: 0 }, [{ ...scheduler(), implementation: {} }])).rejects.toThrow(
      '/sluice.scheduler.v1.SchedulerService/GetStatus has no implementation',
    );
  });
});

describe('server streams', () => {
  const answer = (number: number): accountpb.WatchAccountResponse =>
    accountpb.WatchAccountResponse.fromPartial({ account: { accountId: 'a', version: BigInt(number) } });
  const watch = (server: RunningServer) =>
    clientOf(accountpb.AccountQueryServiceClient, server).watchAccount({ accountId: 'a', positionToken: '', positionTokens: [] });

  test('send what the iterable yields, then end', async () => {
    const server = await start([
      query({
        watchAccount: serverStream(async function* () {
          for (let number = 1; number <= 500; number += 1) yield answer(number);
        }),
      }),
    ]);
    const versions: bigint[] = [];
    for await (const response of watch(server)) versions.push((response as accountpb.WatchAccountResponse).account?.version ?? 0n);
    expect(versions).toEqual(Array.from({ length: 500 }, (_, index) => BigInt(index + 1)));
  });

  test('wait for a caller that reads slowly', async () => {
    let made = 0;
    const server = await start([
      query({
        watchAccount: serverStream(async function* () {
          for (; made < 400; made += 1) yield accountpb.WatchAccountResponse.fromPartial({ account: { product: 'x'.repeat(100_000) } });
        }),
      }),
    ]);
    const stream = watch(server);
    await new Promise((resolve) => stream.once('readable', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBeLessThan(400);
    let read = 0;
    for await (const _response of stream) read += 1;
    expect(read).toBe(400);
  });

  test('a refusal after some answers ends the stream with its reason', async () => {
    const server = await start([
      query({
        watchAccount: serverStream(async function* () {
          yield answer(1);
          throw refusal('READ_BEHIND');
        }),
      }),
    ]);
    const stream = watch(server);
    const seen: unknown[] = [];
    const refused = (async () => {
      for await (const response of stream) seen.push(response);
    })();
    expect(await refusalOf(refused)).toMatchObject({ code: 'UNAVAILABLE', reason: 'READ_BEHIND' });
    expect(seen).toHaveLength(1);
  });

  test('the iterable is closed when the caller goes away, even while it waits', async () => {
    const [waiting, closed] = [deferred(), deferred<unknown>()];
    const server = await start([
      query({
        watchAccount: serverStream(async function* (_request: unknown, context: CallContext) {
          yield answer(1);
          waiting.resolve();
          await new Promise((resolve) => context.signal.addEventListener('abort', resolve, { once: true }));
          closed.resolve(context.signal.reason);
        }),
      }),
    ]);
    const stream = watch(server);
    stream.on('error', () => undefined).on('data', () => undefined);
    await waiting.promise;
    stream.cancel();
    expect(await closed.promise).toMatchObject({ reason: 'CANCELLED' });
  });
});

describe('bidirectional streams', () => {
  const request = (number: number): accountpb.PostStreamRequest => accountpb.PostStreamRequest.fromPartial({ posting: { requestId: `r${number}` } });
  const echo = bidi<accountpb.PostStreamRequest, accountpb.PostStreamResponse>(async (requests, send) => {
    for await (const { posting } of requests) await send(accountpb.PostStreamResponse.fromPartial({ requestId: posting?.requestId ?? '' }));
  });

  test('answer every request, then end when the caller has no more', async () => {
    const server = await start([command({ postStream: echo })]);
    const stream = clientOf(accountpb.AccountCommandServiceClient, server).postStream();
    for (let number = 0; number < 2_000; number += 1) stream.write(request(number));
    stream.end();
    const answers: string[] = [];
    for await (const response of stream) answers.push((response as accountpb.PostStreamResponse).requestId);
    expect(answers).toEqual(Array.from({ length: 2_000 }, (_, number) => `r${number}`));
  });

  test('bytes that are no message end the stream with a reason', async () => {
    const server = await start([command({ postStream: echo })]);
    const client = clientOf(accountpb.AccountCommandServiceClient, server);
    const stream = client.makeBidiStreamRequest(
      accountpb.AccountCommandServiceService.postStream.path,
      (bytes: Buffer) => bytes,
      (bytes) => bytes,
    );
    stream.write(Buffer.from([0x0a, 0xff, 0x01]));
    const refused = (async () => {
      for await (const _response of stream) throw new Error('answered');
    })();
    expect(await refusalOf(refused)).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' });
  });

  test('when the server stops, what was read is answered and the caller is told to go elsewhere', async () => {
    const [read, release] = [deferred(), deferred()];
    const server = await start([
      command({
        postStream: bidi<accountpb.PostStreamRequest, accountpb.PostStreamResponse>(async (requests, send) => {
          const ids: string[] = [];
          for await (const { posting } of requests) {
            ids.push(posting?.requestId ?? '');
            read.resolve();
          }
          await release.promise;
          for (const requestId of ids) await send(accountpb.PostStreamResponse.fromPartial({ requestId }));
        }),
      }),
    ]);
    const stream = clientOf(accountpb.AccountCommandServiceClient, server).postStream();
    stream.write(request(1));
    await read.promise;
    const answers: string[] = [];
    const refused = (async () => {
      for await (const response of stream) answers.push((response as accountpb.PostStreamResponse).requestId);
    })();
    const stopped = server.stop(5_000);
    release.resolve();
    expect(await refusalOf(refused)).toMatchObject({ code: 'UNAVAILABLE', reason: 'SHUTTING_DOWN' });
    expect(answers).toEqual(['r1']);
    await stopped;
  });
});

describe('bursts and callers that do not read', () => {
  /** Counts what happens in each round of the event loop. */
  function perRound(): { happened: () => void; most: () => number; stop: () => void } {
    let [most, inRound, running] = [0, 0, true];
    const next = (): void => {
      inRound = 0;
      if (running) setImmediate(next);
    };
    setImmediate(next);
    return {
      happened: () => {
        inRound += 1;
        most = Math.max(most, inRound);
      },
      most: () => most,
      stop: () => (running = false),
    };
  }

  test('answers that are ready at the same time are written in slices, those of single calls and those of streams', async () => {
    const [waiting, release, rounds] = [deferred(), deferred(), perRound()];
    let calls = 0;
    const metrics = { enabled: true, histogram: () => () => rounds.happened() } as unknown as Metrics;
    const registrations = [
      scheduler(async () => {
        calls += 1;
        if (calls === 600) waiting.resolve();
        await release.promise;
        return ANSWER;
      }),
      command({
        postStream: bidi<accountpb.PostStreamRequest, accountpb.PostStreamResponse>(async (requests, send) => {
          for await (const _request of requests) {
            await release.promise;
            for (let answer = 0; answer < 1_000; answer += 1) {
              await send(accountpb.PostStreamResponse.fromPartial({ requestId: `r${answer}` }));
              rounds.happened();
            }
          }
        }),
      }),
    ];
    const server = await start(registrations, { metrics });
    const client = clientOf(schedulerpb.SchedulerServiceClient, server);
    const answered = Promise.all(Array.from({ length: 600 }, () => call(client.getStatus, client, {})));
    const streams = Array.from({ length: 3 }, () => clientOf(accountpb.AccountCommandServiceClient, server).postStream());
    const read = Promise.all(
      streams.map(async (stream) => {
        stream.write(accountpb.PostStreamRequest.fromPartial({}));
        stream.end();
        let count = 0;
        for await (const _response of stream) count += 1;
        return count;
      }),
    );
    await waiting.promise;
    release.resolve();
    await answered;
    expect(await read).toEqual([1_000, 1_000, 1_000]);
    rounds.stop();
    expect(rounds.most()).toBeLessThanOrEqual(128 + streams.length);
  });

  test('requests of a stream that come in one piece are read in slices', async () => {
    const rounds = perRound();
    const all = deferred();
    let read = 0;
    const server = await start([
      command({
        postStream: bidi<accountpb.PostStreamRequest, accountpb.PostStreamResponse>(async (requests) => {
          for await (const _request of requests) {
            rounds.happened();
            read += 1;
            if (read === 2_000) all.resolve();
          }
        }),
      }),
    ]);
    const session = connectHttp2(`http://${server.address}`);
    const path = accountpb.AccountCommandServiceService.postStream.path;
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
    stream.on('error', () => undefined);
    // A message without content: not compressed, no bytes.
    stream.write(Buffer.alloc(2_000 * 5));
    await all.promise;
    session.destroy();
    rounds.stop();
    expect(rounds.most()).toBeLessThanOrEqual(128);
  });

  test('large requests of single calls that come at the same time are begun in slices', async () => {
    const rounds = perRound();
    const all = deferred();
    const count = 200;
    let begun = 0;
    const server = await start([
      command({
        postBatch: unary(async () => {
          rounds.happened();
          begun += 1;
          if (begun === count) all.resolve();
          return accountpb.PostBatchResponse.fromPartial({});
        }),
      }),
    ]);
    const session = connectHttp2(`http://${server.address}`);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const path = accountpb.AccountCommandServiceService.postBatch.path;
    const message = accountpb.PostBatchRequest.encode(accountpb.PostBatchRequest.fromPartial({ postings: [{ counterparty: 'x'.repeat(64 << 10) }] })).finish();
    const frame = Buffer.concat([Buffer.alloc(5), message]);
    frame.writeUInt32BE(message.length, 1);
    for (let at = 0; at < count; at += 1) {
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
      stream.on('error', () => undefined);
      stream.resume();
      stream.end(frame);
    }
    await all.promise;
    session.destroy();
    rounds.stop();
    // Each counts as seventeen small ones; two slices may fall between two looks.
    expect(rounds.most()).toBeLessThanOrEqual(16);
  });

  const endless = {
    postStream: bidi<accountpb.PostStreamRequest, accountpb.PostStreamResponse>(async (_requests, send, { signal }) => {
      while (!signal.aborted) await sendOne(send);
    }),
  };
  let sent = 0;
  async function sendOne(send: (response: accountpb.PostStreamResponse) => Promise<void> | undefined): Promise<void> {
    sent += 1;
    await send(accountpb.PostStreamResponse.fromPartial({ requestId: 'x'.repeat(1_000) }));
  }
  const watched = {
    watchAccount: serverStream<accountpb.WatchAccountRequest, accountpb.WatchAccountResponse>(async function* () {
      for (;;) {
        sent += 1;
        yield accountpb.WatchAccountResponse.fromPartial({ account: { accountId: 'x'.repeat(1_000) } });
      }
    }),
  };
  /** Resolves when nothing was sent for so many rounds of the event loop that something would have been, if it could; a stall is one round. */
  async function untilHeldBack(): Promise<void> {
    let before = -1;
    for (let rounds = 0; rounds < 20; rounds += 1) {
      if (sent !== before) rounds = 0;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  test.each`
    form                        | registration        | open
    ${'a bidirectional stream'} | ${command(endless)} | ${(server: RunningServer) => clientOf(accountpb.AccountCommandServiceClient, server).postStream()}
    ${'a watch'}                | ${query(watched)}   | ${(server: RunningServer) => clientOf(accountpb.AccountQueryServiceClient, server).watchAccount({ accountId: 'a', positionToken: '', positionTokens: [] })}
  `('$form whose caller does not read is held back, and ended after a while', async ({ registration, open }) => {
    const clock = new ManualClock();
    sent = 0;
    const server = await start([registration as ServiceRegistration], { clock });
    const stream = (open as (server: RunningServer) => ClientReadableStream<unknown>)(server).on('error', () => undefined);
    // A caller of grpc-js takes what comes until it has read for the first time.
    stream.once('data', () => stream.pause());
    await untilHeldBack();
    // The window of the stream, the socket's buffers, and what the transport takes.
    expect(sent).toBeLessThan(10_000);
    const before = sent;
    const ended = new Promise<StatusObject>((resolve) => stream.on('status', resolve));
    // At the first look some answers may have gone to the socket since it was full.
    clock.advance(2 * UNREAD_MS);
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent).toBe(before);
    stream.resume();
    expect((await ended).code).toBe(status.RESOURCE_EXHAUSTED);
  });
});

describe('health', () => {
  const check = (server: RunningServer, service: string): Promise<healthpb.HealthCheckResponse> => {
    const client = clientOf(healthpb.HealthClient, server);
    return call(client.check, client, { service });
  };
  const { SERVING, NOT_SERVING } = healthpb.HealthCheckResponse_ServingStatus;

  test('nothing serves before it is said to; the whole serves when every part does', async () => {
    const server = await startServer({ host: HOST, port: 0 }, [scheduler(), query({})]);
    servers.push(server);
    expect(await check(server, '')).toEqual({ status: NOT_SERVING });
    server.setServing(true, 'sluice.scheduler.v1.SchedulerService');
    expect(await check(server, 'sluice.scheduler.v1.SchedulerService')).toEqual({ status: SERVING });
    expect(await check(server, 'sluice.account.v1.AccountQueryService')).toEqual({ status: NOT_SERVING });
    expect(await check(server, '')).toEqual({ status: NOT_SERVING });
    server.setServing(true);
    expect(await check(server, '')).toEqual({ status: SERVING });
    await expect(check(server, 'no.such.Service')).rejects.toMatchObject({ code: status.NOT_FOUND });
    expect(() => server.setServing(true, 'no.such.Service')).toThrow('not a service of this server');
  });

  test('a list says it of every service and of the whole', async () => {
    const server = await start([scheduler()]);
    const client = clientOf(healthpb.HealthClient, server);
    const statuses = { '': { status: SERVING }, 'sluice.scheduler.v1.SchedulerService': { status: SERVING } };
    expect(await call(client.list, client, {})).toEqual({ statuses });
  });

  test('a watch of an unknown service says so, and stays', async () => {
    const server = await start([scheduler()]);
    const stream = clientOf(healthpb.HealthClient, server).watch({ service: 'no.such.Service' });
    stream.on('error', () => undefined);
    expect(await new Promise((resolve) => stream.once('data', resolve))).toEqual({ status: healthpb.HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN });
    stream.cancel();
  });

  test('who watches sees the change and is let go when the server stops', async () => {
    const server = await start([scheduler()]);
    const seen: unknown[] = [];
    const stream = clientOf(healthpb.HealthClient, server).watch({ service: '' });
    const ended = new Promise<StatusObject>((resolve) => stream.on('status', resolve));
    stream.on('error', () => undefined);
    const first = deferred();
    stream.on('data', (response: healthpb.HealthCheckResponse) => {
      seen.push(response.status);
      first.resolve();
    });
    await first.promise;
    // A stop that waited for the watch would take longer than this test may.
    await server.stop(10 * 60_000);
    expect((await ended).code).toBe(status.UNAVAILABLE);
    expect(seen).toEqual([SERVING, NOT_SERVING]);
  });
});

describe('limits', () => {
  test('as many calls as there is room for run, the next is refused, and room comes back', async () => {
    const [running, release] = [deferred(), deferred()];
    let count = 0;
    const server = await start(
      [
        scheduler(async () => {
          count += 1;
          if (count === 2) running.resolve();
          await release.promise;
          return ANSWER;
        }),
      ],
      { maxCalls: 2 },
    );
    const both = [askStatus(server), askStatus(server)];
    await running.promise;
    expect(await refusalOf(askStatus(server))).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'TOO_MANY_CALLS' });
    release.resolve();
    await Promise.all(both);
    expect(await askStatus(server)).toEqual(ANSWER);
  });

  test('a caller above its rate is told when to come again', async () => {
    let nowUs = 0;
    const clock = { nowUs: () => nowUs, monotonicMs: () => nowUs / 1_000, after: () => () => undefined };
    const server = await start([scheduler()], { rateLimit: { perSecond: 10, burst: 2, clock } });
    await askStatus(server);
    await askStatus(server);
    expect(await refusalOf(askStatus(server))).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'RATE_LIMITED', metadata: { retry_after_ms: '100' } });
    nowUs += 100_000;
    expect(await askStatus(server)).toEqual(ANSWER);
  });

  test('connections above the limit are closed, the others live', async () => {
    const server = await start([scheduler()], { maxConnections: 1 });
    const client = clientOf(schedulerpb.SchedulerServiceClient, server);
    expect(await call(client.getStatus, client, {})).toEqual(ANSWER);
    const extra = connect(server.port, HOST);
    await new Promise((resolve) => extra.on('close', resolve).on('error', () => undefined));
    expect(await call(client.getStatus, client, {})).toEqual(ANSWER);
  });

  test('the windows are wide enough for a batch', async () => {
    const server = await start([scheduler()]);
    const session = connectHttp2(`http://${server.address}`);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    expect(session.remoteSettings.initialWindowSize).toBe(4 * 1024 * 1024);
    await new Promise((resolve) => setImmediate(resolve));
    expect(session.state.remoteWindowSize).toBeGreaterThan(8 * 1024 * 1024);
    session.destroy();
  });
});

describe('the port', () => {
  const closed = (socket: Socket): Promise<unknown> =>
    new Promise((resolve) =>
      socket
        .on('close', resolve)
        .on('error', () => undefined)
        .resume(),
    );

  test('garbage on it hurts nobody', async () => {
    const server = await start([scheduler()]);
    for (const garbage of [
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      Buffer.alloc(100_000, 0xff),
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff',
      '\x16\x03\x01\x02\x00',
    ]) {
      const socket = connect(server.port, HOST);
      socket.end(garbage);
      await closed(socket);
    }
    expect(await askStatus(server)).toEqual(ANSWER);
  });

  test('beyond loopback it is refused in plain text unless it is meant', async () => {
    await expect(startServer({ host: '0.0.0.0', port: 0 }, [scheduler()])).rejects.toThrow(/refusing to listen on 0\.0\.0\.0 in plain text.*--insecure/);
    const server = await start([scheduler()], { host: '0.0.0.0', insecure: true });
    expect(server.address).toBe(`0.0.0.0:${server.port}`);
  });

  test('a port in use is a plain error', async () => {
    const server = await start([scheduler()]);
    await expect(startServer({ host: HOST, port: server.port }, [scheduler()])).rejects.toThrow(`cannot listen on ${server.address}: `);
  });
});

describe('stopping', () => {
  test('calls in flight are finished, new ones are refused, then the port is free', async () => {
    const [running, release] = [deferred(), deferred()];
    const server = await start([
      scheduler(async () => {
        running.resolve();
        await release.promise;
        return ANSWER;
      }),
    ]);
    const inFlight = askStatus(server);
    await running.promise;
    const stopped = server.stop(10_000);
    await expect(askStatus(server)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    release.resolve();
    expect(await inFlight).toEqual(ANSWER);
    await stopped;
    const again = await start([scheduler()], { port: server.port });
    expect(await askStatus(again)).toEqual(ANSWER);
  });

  test('while it hands over, callers are refused, what peers send on comes in, and calls in flight go on', async () => {
    const [running, release, handedOver] = [deferred(), deferred(), deferred()];
    let held = true;
    const hopProof = new HopProof(Buffer.alloc(32, 1));
    const registration = scheduler(async () => {
      running.resolve();
      if (held) await release.promise;
      return ANSWER;
    });
    const server = await start([registration], { hopProof });
    const inFlight = askStatus(server);
    await running.promise;
    held = false;
    const shop = { name: 'shop', roles: new Set(['operate'] as const) };
    const hop = hopProof.metadataOf(schedulerpb.SchedulerServiceService.getStatus.path, { caller: shop, partition: 3 });
    let stopped = false;
    const stopping = server
      .stop(10_000, () => handedOver.promise)
      .then(() => {
        stopped = true;
      });
    expect(await refusalOf(askStatus(server))).toMatchObject({ reason: 'SHUTTING_DOWN' });
    expect(await askStatus(server, hop)).toEqual(ANSWER);
    handedOver.resolve();
    await handedOver.promise;
    await expect(askStatus(server, hop)).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(stopped).toBe(false);
    release.resolve();
    expect(await inFlight).toEqual(ANSWER);
    await stopping;
  });

  test('what does not finish within the grace time is cut', async () => {
    const running = deferred();
    const server = await start([
      scheduler(() => {
        running.resolve();
        return new Promise(() => undefined);
      }),
    ]);
    const inFlight = askStatus(server);
    await running.promise;
    await Promise.all([expect(inFlight).rejects.toMatchObject({ code: expect.any(Number) }), server.stop(50)]);
  });

  test('a stream is asked to end and its caller told why', async () => {
    const running = deferred();
    const server = await start([
      query({
        watchAccount: serverStream(async function* () {
          running.resolve();
          await new Promise(() => undefined);
        }),
      }),
    ]);
    const stream = clientOf(accountpb.AccountQueryServiceClient, server).watchAccount({ accountId: 'a', positionToken: '', positionTokens: [] });
    const refused = (async () => {
      for await (const _response of stream) throw new Error('answered');
    })();
    await running.promise;
    const stopped = server.stop(10_000);
    expect(await refusalOf(refused)).toMatchObject({ code: 'UNAVAILABLE', reason: 'SHUTTING_DOWN' });
    await stopped;
  });

  test('stopping twice is stopping once', async () => {
    const server = await start([scheduler()]);
    const first = server.stop(0);
    expect(server.stop(1_000)).toBe(first);
    await server.stop(0);
  });
});
