/** Connections to a peer whose host falls silent, and what they leave behind. */
import { randomBytes } from 'node:crypto';
import { ChannelCredentials, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { systemClock } from '@sluice/ports';
import { schedulerpb } from '@sluice/protocol';
import { TcpLink } from '@sluice/testing';
import type { CallContext } from '../call-context';
import { ANYBODY } from '../caller';
import { unary } from '../handlers';
import { HopProof } from '../hop-proof';
import { type RunningServer, startServer } from '../server';
import { PeerConnections, type PeerOptions } from './peer-connections';

const { getStatus } = schedulerpb.SchedulerServiceService;
const PROOF = new HopProof(randomBytes(32));
const MEBIBYTE = 1 << 20;
const LARGE = padding(12 * MEBIBYTE);

const closing: (() => unknown)[] = [];
let server: RunningServer;
let link: TcpLink;
let answer: (call: CallContext) => Promise<void>;

const scheduler = {
  name: 'sluice.scheduler.v1.SchedulerService',
  definition: { getStatus },
  implementation: {
    getStatus: unary(async (_request: unknown, call: CallContext) => {
      await answer(call);
      return schedulerpb.GetStatusResponse.fromPartial({});
    }),
  },
};

beforeEach(async () => {
  answer = async () => undefined;
  server = await startServer({ host: '127.0.0.1', port: 0, maxMessageBytes: 16 * MEBIBYTE }, [scheduler]);
  link = await TcpLink.open(() => server.port);
  closing.push(
    () => server.stop(0),
    () => link.close(),
  );
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A field that no message has, of so many bytes. */
function padding(bytes: number): Buffer {
  const length = Buffer.from([(bytes & 0x7f) | 0x80, ((bytes >> 7) & 0x7f) | 0x80, ((bytes >> 14) & 0x7f) | 0x80, bytes >> 21]);
  return Buffer.concat([Buffer.from([0x7a]), length, Buffer.alloc(bytes)]);
}

function connect(options: Partial<PeerOptions> = {}): PeerConnections {
  const connections = new PeerConnections({ proof: PROOF, ...options }, systemClock);
  closing.push(() => connections.close());
  return connections;
}

/** "OK", or the code of the error. */
function send(connections: PeerConnections, bytes: Buffer = Buffer.alloc(0), address = link.address): Promise<string> {
  const request = { path: getStatus.path, bytes, forwarded: { caller: ANYBODY, partition: 0 }, deadlineMs: Number.POSITIVE_INFINITY };
  return new Promise((resolve) => connections.send(address, request, (error: ServiceError | null) => resolve(error === null ? 'OK' : status[error.code])));
}

test('a call without a deadline to a peer that falls silent fails when its pings stay unanswered', async () => {
  const connections = connect();
  expect(await send(connections)).toBe('OK');
  link.silence();
  expect(await send(connections)).toBe('UNAVAILABLE');
});

test('a call that takes long is not cut while the peer answers pings', async () => {
  const connections = connect();
  let finish: (() => void) | undefined;
  answer = () => new Promise((resolve) => (finish = resolve));
  const long = send(connections);
  // Longer than a ping's interval and its time together.
  await new Promise((resolve) => systemClock.after(4_500, () => resolve(undefined)));
  finish?.();
  expect(await long).toBe('OK');
  expect(link.opened).toBe(1);
});

test('a host that takes connections and says nothing: calls fail, its connections are closed, and later calls make new ones', async () => {
  const connections = connect();
  link.silence();
  expect(await send(connections)).toBe('UNAVAILABLE');
  await link.untilClosedByCallers();
  link.speak();
  while ((await send(connections)) !== 'OK');
});

test('a connection that does not come about is given up, and the next call makes a new one', async () => {
  let attempts = 0;
  class HangsFirst extends ChannelCredentials {
    override _isSecure = (): boolean => false;
    override _equals = (other: ChannelCredentials): boolean => this === other;
    override _createSecureConnector(...parameters: Parameters<ChannelCredentials['_createSecureConnector']>) {
      const connector = credentials.createInsecure()._createSecureConnector(...parameters);
      attempts += 1;
      if (attempts === 1) connector.waitForReady = () => new Promise(() => undefined);
      return connector;
    }
  }
  const connections = connect({ credentials: new HangsFirst() });
  expect(await Promise.all([send(connections), send(connections)])).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  expect(await send(connections)).toBe('OK');
  expect(attempts).toBe(2);
});

test('a message passes that the servers of the deployment take', async () => {
  expect(await send(connect(), LARGE)).toBe('RESOURCE_EXHAUSTED');
  expect(await send(connect({ maximumMessageBytes: 16 * MEBIBYTE }), LARGE)).toBe('OK');
});

test('what instances send each other passes a server whose callers may send little, and is refused to callers', async () => {
  const small = await startServer({ host: '127.0.0.1', port: 0, maxMessageBytes: 4_096, hopProof: PROOF }, [scheduler]);
  closing.push(() => small.stop(0));
  const batch = padding(1_500_000);
  expect(await send(connect({ maximumMessageBytes: 4_096 }), batch, small.address)).toBe('OK');
  expect(await send(connect({ maximumMessageBytes: 4_096 }), padding(4_000), small.address)).toBe('OK');
  const stranger = new PeerConnections({ proof: new HopProof(randomBytes(32)), maximumMessageBytes: 4_096 }, systemClock);
  closing.push(() => stranger.close());
  expect(await send(stranger, batch, small.address)).toBe('RESOURCE_EXHAUSTED');
  expect(await send(stranger, padding(4_000), small.address)).toBe('OK');
});
