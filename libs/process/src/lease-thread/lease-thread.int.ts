import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NatsLink } from '@sluice/bus-nats';
import { haveServer, type RunningServer, startNats } from '@sluice/infra';
import type { Lease, LeaseEvent, LeaseHolder } from '@sluice/ports';
import { leaseContract } from '@sluice/testing';
import { LeaseThread, type LeaseThreadOptions } from './lease-thread';

const TTL_MS = 1_500;
const ANN: LeaseHolder = { id: 'ann', address: '127.0.0.1:1001' };
const BEN: LeaseHolder = { id: 'ben', address: '127.0.0.1:1002' };

const passes = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Keeps the main thread busy: no timer fires, no message arrives. */
function blockMainThread(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await passes(10);
}

(haveServer('nats', { external: false }) ? describe : describe.skip)('leases kept by a thread', () => {
  let folder: string;
  let nats: RunningServer;
  let threads: LeaseThread[];
  let deployment: string;
  let deployments = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-lease-thread-'));
    nats = await startNats({ dataDir: folder, external: false });
  });
  afterAll(async () => {
    await nats.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    threads = [];
    deployments += 1;
    deployment = `test-${deployments}`;
  });
  const dispose = async (): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.close()));
  };
  afterEach(dispose);

  const open = async (holder: LeaseHolder, options: Partial<LeaseThreadOptions> = {}): Promise<LeaseThread> => {
    const thread = await LeaseThread.start({ link: { url: nats.url }, deployment, holder, ttlMs: TTL_MS, ...options });
    threads.push(thread);
    return thread;
  };
  const eventsOf = (lease: Lease): LeaseEvent[] => {
    const events: LeaseEvent[] = [];
    lease.watch((event) => events.push(event));
    return events;
  };

  leaseContract('a thread over NATS', async () => ({
    ttlMs: TTL_MS,
    open,
    kill: (lease) => (lease as LeaseThread).terminate(),
    elapse: passes,
    dispose,
  }));

  test('a main thread that is busy for longer than the leases’ time keeps them', async () => {
    const [ann, ben] = [await open(ANN), await open(BEN)];
    const held = await ann.acquire('x');
    await until(() => eventsOf(ben).length === 1);
    const [seenByAnn, seenByBen] = [eventsOf(ann), eventsOf(ben)];
    blockMainThread(4 * TTL_MS);
    expect(await ben.read('x')).toEqual(held);
    expect(await ben.acquire('x')).toBeUndefined();
    expect([seenByAnn, seenByBen].map((events) => events.map(({ kind }) => kind))).toEqual([['held'], ['held']]);
  });

  test('a main thread that is silent for longer than its limit loses its leases, and takes up what is left when it is back', async () => {
    const ann = await open(ANN, { mainThreadLimitMs: 1_000 });
    const ben = await open(BEN);
    const held = await ann.acquire('x');
    await until(() => eventsOf(ben).length === 1);
    const [seenByAnn, seenByBen] = [eventsOf(ann), eventsOf(ben)];
    blockMainThread(3_000);
    await until(() => seenByAnn.at(-1)?.kind === 'held' && seenByBen.at(-1)?.kind === 'held' && seenByBen.length > 1);
    expect(seenByAnn.map(({ kind }) => kind)).toEqual(['held', 'lapsed', 'held']);
    expect(seenByBen.map(({ kind }) => kind)).toEqual(['held', 'free', 'held']);
    expect(await ben.read('x')).toEqual(held);
  });

  test('a thread that ends is started again with the leases that it had', async () => {
    const died: Error[] = [];
    const ann = await open(ANN, { died: (error) => died.push(error) });
    const ben = await open(BEN);
    const [x, y] = [await ann.acquire('x'), await ann.acquire('y')];
    await ann.release(y!);
    const events = eventsOf(ann);
    await ann.endThread();
    expect(died).toHaveLength(1);
    expect(ann.connected).toBe(false);
    await expect(ann.acquire('z')).rejects.toThrow('is being started again');
    await until(() => ann.connected);
    expect(events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['away', 'back']));
    await passes(2 * TTL_MS);
    expect(await ben.read('x')).toEqual(x);
    expect(await ben.acquire('x')).toBeUndefined();
    expect(await ben.acquire('y')).toBeDefined();
  });

  test('every process has one consumer', async () => {
    const [ann] = [await open(ANN), await open(BEN)];
    for (let round = 0; round < 20; round += 1) await ann.release((await ann.acquire('x'))!);
    const link = await NatsLink.open({ url: nats.url });
    expect((await link.manager.streams.info(`KV_sluice_${deployment}_leases`)).state.consumer_count).toBe(2);
    await link.close();
  });

  test('a start that is given up while the server is away ends', async () => {
    const stopping = new AbortController();
    const starting = LeaseThread.start(
      { link: { url: 'nats://127.0.0.1:1' }, deployment, holder: ANN, ttlMs: TTL_MS, onStatus: () => stopping.abort() },
      stopping.signal,
    );
    await expect(starting).rejects.toThrow('asked to stop');
  });
});
