/** The same calls over a connection and within the process. */
import { randomBytes } from 'node:crypto';
import { systemClock } from '@sluice/ports';
import { schedulerpb } from '@sluice/protocol';
import { TcpLink } from '@sluice/testing';
import { credentials } from '@grpc/grpc-js';
import type { CallContext } from '../call-context';
import { ANYBODY } from '../caller';
import { serverStream, unary } from '../handlers';
import { HopProof } from '../hop-proof';
import { startServer } from '../server';
import type { ServiceRegistration } from '../service-runtime';
import { connectedPeer, inProcessPeer, peersOnly, type PeerCalls } from './peer-calls';
import { PeerConnections } from './peer-connections';

const { getStatus } = schedulerpb.SchedulerServiceService;
/** A stream of answers with the messages of GetStatus. */
const watchStatus = { ...getStatus, path: '/sluice.scheduler.v1.SchedulerService/WatchStatus', responseStream: true } as const;
const CALLER = { name: 'scheduler', roles: ANYBODY.roles };
const FOR_EVER = Number.POSITIVE_INFINITY;

const closing: (() => unknown)[] = [];
let calls: CallContext[];
let registration: ServiceRegistration;

beforeEach(() => {
  calls = [];
  registration = peersOnly({
    name: 'sluice.scheduler.v1.SchedulerService',
    definition: { getStatus, watchStatus },
    implementation: {
      getStatus: unary(async (_request: unknown, call: CallContext) => {
        calls.push(call);
        return schedulerpb.GetStatusResponse.fromPartial({ instanceId: 'one' });
      }),
      watchStatus: serverStream(async function* (_request: unknown, call: CallContext) {
        calls.push(call);
        yield schedulerpb.GetStatusResponse.fromPartial({ instanceId: 'first' });
        yield schedulerpb.GetStatusResponse.fromPartial({ instanceId: 'second' });
        if (!call.signal.aborted) await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      }),
    },
  });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function connected(): Promise<{ peer: PeerCalls; link: TcpLink }> {
  const proof = new HopProof(randomBytes(32));
  const server = await startServer({ host: '127.0.0.1', port: 0, hopProof: proof }, [registration]);
  const link = await TcpLink.open(() => server.port);
  const connections = new PeerConnections({ proof }, systemClock);
  closing.push(
    () => server.stop(0),
    () => link.close(),
    () => connections.close(),
  );
  return { peer: connectedPeer(connections, link.address, CALLER), link };
}

/** What the stream brings until it ends, and how to take part. */
function watched(peer: PeerCalls) {
  const names: string[] = [];
  let second!: () => void;
  let end!: (error: Error | undefined) => void;
  const bothCame = new Promise<void>((resolve) => (second = resolve));
  const ended = new Promise<Error | undefined>((resolve) => (end = resolve));
  const stream = peer.serverStream(
    watchStatus,
    {},
    {
      message: ({ instanceId }) => {
        names.push(instanceId);
        if (names.length === 2) second();
      },
      ended: end,
    },
  );
  return { names, bothCame, ended, cancel: () => stream.cancel() };
}

describe.each([
  ['over a connection', async () => (await connected()).peer],
  ['within the process', async () => inProcessPeer([registration], CALLER)],
])('%s', (_name, peerOf) => {
  test('a call is answered, and the peer knows which service asks for which partition', async () => {
    const peer = await peerOf();
    expect(await peer.unary(getStatus, {}, 7, FOR_EVER)).toMatchObject({ instanceId: 'one' });
    expect(calls[0]).toMatchObject({ forwardedTo: 7, caller: { name: 'scheduler' } });
  });

  test('a stream brings its answers in order, and ends when it is cancelled', async () => {
    const stream = watched(await peerOf());
    await stream.bothCame;
    expect(stream.names).toEqual(['first', 'second']);
    stream.cancel();
    await stream.ended;
    const { signal } = calls[0] as CallContext;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    expect(signal.aborted).toBe(true);
  });
});

test('a stream of a peer that falls silent ends with an error', async () => {
  const { peer, link } = await connected();
  const stream = watched(peer);
  await stream.bothCame;
  link.silence();
  expect(await stream.ended).toBeInstanceOf(Error);
});

test('a caller that is no peer is refused', async () => {
  const server = await startServer({ host: '127.0.0.1', port: 0, hopProof: new HopProof(randomBytes(32)) }, [registration]);
  const client = new schedulerpb.SchedulerServiceClient(server.address, credentials.createInsecure());
  closing.push(
    () => server.stop(0),
    () => client.close(),
  );
  const refused = await new Promise<Error | null>((resolve) => client.getStatus({}, (error) => resolve(error)));
  expect(refused).toMatchObject({ details: 'only instances of this deployment may call this method' });
  expect(calls).toEqual([]);
});
