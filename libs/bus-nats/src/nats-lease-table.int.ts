import { SessionLease } from '@sluice/leases';
import type { Lease, LeaseEvent, LeaseHolder, LeaseTableEntry } from '@sluice/ports';
import { leaseContract, leaseTableContract } from '@sluice/testing';
import { NatsLeaseTable } from './nats-lease-table';
import type { NatsLink } from './nats-link';
import { describeOnNats, freshDeployment, natsServer, openLink } from './test/nats-for-tests';

const TTL_MS = 900;
const LIMIT_MS = 30_000;
const ANNA: LeaseHolder = { id: 'anna', address: '127.0.0.1:7400' };
const BERT: LeaseHolder = { id: 'bert', address: '127.0.0.1:7401' };

const passes = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await passes(10);
}

describeOnNats('the lease table on NATS', () => {
  let deployment: string;
  let links: NatsLink[];
  let leases: Lease[];

  beforeEach(() => {
    deployment = freshDeployment();
    links = [];
    leases = [];
  });
  const dispose = async (): Promise<void> => {
    await Promise.all(leases.map((lease) => lease.close()));
    await Promise.all(links.map((link) => link.close()));
  };
  afterEach(dispose);

  const linked = async (): Promise<NatsLink> => {
    const link = await openLink();
    links.push(link);
    return link;
  };
  const openTable = async (): Promise<NatsLeaseTable> => NatsLeaseTable.open({ link: await linked(), deployment });
  const open = async (holder: LeaseHolder, ttlMs = TTL_MS): Promise<SessionLease> => {
    const lease = await SessionLease.open({ table: await openTable(), holder, ttlMs });
    leases.push(lease);
    return lease;
  };
  const consumers = async (): Promise<number> => {
    const { state } = await (await linked()).manager.streams.info(`KV_sluice_${deployment}_leases`);
    return state.consumer_count;
  };

  leaseTableContract('NATS', async () => ({ open: openTable, dispose }));

  leaseContract('sessions over NATS', async () => ({
    ttlMs: TTL_MS,
    open,
    kill: (lease) => (links[leases.indexOf(lease)] as NatsLink).close(),
    elapse: passes,
    dispose,
  }));

  test('every process has one consumer, however often leases are taken, given back, read and watched', async () => {
    const [anna, bert] = [await open(ANNA), await open(BERT)];
    const ends: (() => void)[] = [];
    for (let round = 0; round < 50; round += 1) {
      ends.push(anna.watch(() => undefined));
      const held = await anna.acquire(`partition/${round % 5}`);
      expect(await bert.read(`partition/${round % 5}`)).toEqual(held);
      expect(await bert.acquire(`partition/${round % 5}`)).toBeUndefined();
      await anna.release(held!);
    }
    for (const end of ends) end();
    expect(await consumers()).toBe(2);
  });

  test('the stream allows a consumer for every process of a large deployment', async () => {
    await open(ANNA);
    const { config } = await links[0]!.manager.streams.info(`KV_sluice_${deployment}_leases`);
    expect(config.max_consumers).toBeGreaterThanOrEqual(3 * 4_096);
  });

  test('a consumer that is removed is replaced by one', async () => {
    const [anna, bert] = [await open(ANNA), await open(BERT)];
    await anna.acquire('x');
    const stream = `KV_sluice_${deployment}_leases`;
    const { manager } = links[0]!;
    for (let round = 0; round < 3; round += 1) {
      const before: string[] = [];
      for await (const { name } of manager.consumers.list(stream)) before.push(name);
      await Promise.all(before.map((name) => manager.consumers.delete(stream, name)));
      await until(async () => (await manager.streams.info(stream)).state.consumer_count === 2);
    }
    const events: LeaseEvent[] = [];
    bert.watch((event) => events.push(event));
    const held = await anna.acquire(`y`);
    await until(() => events.some((event) => event.kind === 'held' && event.lease.name === 'y'));
    expect(await bert.read('y')).toEqual(held);
    await until(async () => (await consumers()) === 2);
  });

  test('a bucket that is deleted is made anew, and holders write their leases again', async () => {
    const [anna, bert] = [await open(ANNA), await open(BERT)];
    const held = await anna.acquire('partition/0');
    const lost: LeaseEvent[] = [];
    anna.watch((event) => event.kind === 'lost' && lost.push(event));
    const stream = `KV_sluice_${deployment}_leases`;
    await links[0]!.manager.streams.delete(stream);
    expect(await bert.acquire('partition/0').catch(() => undefined)).toBeUndefined();
    await until(async () => (await bert.read('partition/0').catch(() => undefined))?.epoch === held?.epoch && bert.connected && anna.connected);
    expect(await bert.acquire('partition/0')).toBeUndefined();
    expect(lost).toEqual([]);
    await until(async () => (await consumers()) === 2);
  });

  test('a server that is restarted again and again: leases stay, and consumers do not pile up', async () => {
    // Longer than any reconnecting takes.
    const [anna, bert] = [await open(ANNA, 10_000), await open(BERT, 10_000)];
    const held = await anna.acquire('partition/0');
    for (let round = 0; round < 3; round += 1) {
      await (round % 2 === 0 ? natsServer().kill() : natsServer().stop());
      await until(() => !anna.connected && !bert.connected);
      await expect(bert.acquire('partition/1')).rejects.toThrow('cannot be reached');
      await natsServer().restart();
      await until(() => anna.connected && bert.connected);
    }
    expect(await bert.read('partition/0')).toEqual(held);
    expect(await bert.acquire('partition/0')).toBeUndefined();
    expect(await consumers()).toBe(2);
  });

  test('a server that gives no sign of life is noticed within the leases’ time', async () => {
    const anna = await open(ANNA);
    await anna.acquire('x');
    const events: LeaseEvent['kind'][] = [];
    anna.watch(({ kind }) => events.push(kind));
    natsServer().signal('SIGSTOP');
    try {
      await until(() => events.includes('lapsed'));
      expect(anna.connected).toBe(false);
    } finally {
      natsServer().signal('SIGCONT');
    }
    await until(() => anna.connected);
    expect(await anna.read('x')).toMatchObject({ holder: ANNA });
  });

  test('a bucket that is configured otherwise is refused', async () => {
    const link = await linked();
    const bucket = `sluice_${deployment}_leases`;
    await link.manager.streams.add({ name: `KV_${bucket}`, subjects: [`$KV.${bucket}.>`] });
    await expect(NatsLeaseTable.open({ link, deployment })).rejects.toThrow(/max_msgs_per_subject is -1, expected 1/);
  });

  test('a deployment must have a name', async () => {
    await expect(NatsLeaseTable.open({ link: await linked(), deployment: 'no name' })).rejects.toThrow(RangeError);
  });

  test('without the server a request fails at once', async () => {
    const table = await openTable();
    await links[0]!.close();
    await expect(table.put('lease/x', '1', 0, LIMIT_MS)).rejects.toThrow('cannot be reached');
    await expect(table.get('lease/x', LIMIT_MS)).rejects.toThrow('cannot be reached');
  });

  test('a watch tells each entry once it is written, while thousands are', async () => {
    const table = await openTable();
    const seen = new Map<string, number>();
    let snapshots = 0;
    let breaks = 0;
    const note = (entry: LeaseTableEntry): unknown => seen.set(entry.key, entry.revision);
    const watch = table.watch({
      snapshot: (entries) => {
        snapshots += 1;
        entries.forEach(note);
      },
      changed: note,
      // A machine that is slow for seconds may miss a sign of life; the watch then begins again with a snapshot.
      broken: () => {
        breaks += 1;
      },
    });
    await until(() => snapshots === 1);
    const keys = Array.from({ length: 2_000 }, (_, at) => `lease/command/${at}`);
    const revisions = await Promise.all(keys.map((key) => table.put(key, '1', 0, LIMIT_MS)));
    await until(() => seen.size === keys.length);
    expect(keys.map((key) => seen.get(key))).toEqual(revisions);
    expect(snapshots).toBeLessThanOrEqual(1 + breaks);
    await watch.stop();
  });
});
