import type { Clock, LeaseHolder } from '@sluice/ports';
import { leaseContract } from '@sluice/testing';

import { NatsLease } from './nats-lease';
import type { NatsLink } from './nats-link';
import { describeOnNats, freshDeployment, openLink } from './test/nats-for-tests';

const ANNA: LeaseHolder = { id: 'anna', address: '127.0.0.1:7400' };
const BERT: LeaseHolder = { id: 'bert', address: '127.0.0.1:7401' };
const TTL_MS = 3_000;

/** A clock that stands where it is put. */
class Clockwork implements Clock {
  constructor(public nowMs = 1_000_000) {}
  nowUs(): number {
    return this.nowMs * 1000;
  }
  monotonicMs(): number {
    return this.nowMs;
  }
  after(): () => void {
    throw new Error('leases set no timers');
  }
}

describeOnNats('leases on NATS key-value', () => {
  leaseContract('NATS', async () => {
    const [own, time] = [freshDeployment(), new Clockwork()];
    const links: NatsLink[] = [];
    return {
      open: async () => {
        const opened = await openLink();
        links.push(opened);
        return NatsLease.open({ link: opened, deployment: own, clock: time });
      },
      elapse: async (milliseconds) => {
        time.nowMs += milliseconds;
      },
      dispose: async () => {
        await Promise.all(links.map((opened) => opened.close()));
      },
    };
  });

  let deployment: string;
  let link: NatsLink;
  let clock: Clockwork;
  let lease: NatsLease;
  const open = (by: Clock = clock): Promise<NatsLease> => NatsLease.open({ link, deployment, clock: by });

  beforeEach(async () => {
    deployment = freshDeployment();
    link = await openLink();
    clock = new Clockwork();
    lease = await open();
  });
  afterEach(() => link.close());

  test('one holds it, others see who, and its epoch rises with each change of holder', async () => {
    const first = await lease.acquire('partition/0', ANNA, TTL_MS);
    expect(first).toMatchObject({ name: 'partition/0', holder: ANNA, expiresAtMs: clock.nowMs + TTL_MS });
    const other = await open();
    expect(await other.acquire('partition/0', BERT, TTL_MS)).toBeUndefined();
    expect(await other.read('partition/0')).toEqual(first);
    const again = await lease.acquire('partition/0', ANNA, TTL_MS);
    expect(again?.epoch).toBe(first?.epoch);
    await lease.release(again!);
    expect(await other.read('partition/0')).toBeUndefined();
    const second = await other.acquire('partition/0', BERT, TTL_MS);
    expect(second?.epoch).toBeGreaterThan(first!.epoch);
    expect(await lease.renew(again!, TTL_MS)).toBeUndefined();
    await lease.release(again!);
    expect(await lease.read('partition/0')).toEqual(second);
  });

  test('what is renewed stays, what is not runs out', async () => {
    const held = await lease.acquire('projector/1', ANNA, TTL_MS);
    clock.nowMs += TTL_MS - 1;
    const renewed = await lease.renew(held!, TTL_MS);
    expect(renewed).toEqual({ ...held, expiresAtMs: clock.nowMs + TTL_MS });
    clock.nowMs += TTL_MS;
    expect(await lease.read('projector/1')).toBeUndefined();
    expect(await lease.renew(renewed!, TTL_MS)).toBeUndefined();
    expect((await lease.acquire('projector/1', BERT, TTL_MS))?.epoch).toBeGreaterThan(held!.epoch);
  });

  test('of many who try at once one gets it', async () => {
    const rivals = await Promise.all(Array.from({ length: 8 }, () => open()));
    const outcomes = await Promise.all(rivals.map((rival, at) => rival.acquire('partition/2', { id: `rival ${at}`, address: 'x' }, TTL_MS)));
    expect(outcomes.filter((held) => held !== undefined)).toHaveLength(1);
  });

  test('a clock that runs ahead does not take a lease from a holder that is seen to renew it', async () => {
    const ahead = new Clockwork(clock.nowMs + 60_000);
    const hasty = await open(ahead);
    let held = await lease.acquire('partition/3', ANNA, TTL_MS);
    await hasty.list('partition/');
    ahead.nowMs += 1_000;
    held = await lease.renew(held!, TTL_MS);
    expect(held).toBeDefined();
    expect(await hasty.acquire('partition/3', BERT, TTL_MS)).toBeUndefined();
    ahead.nowMs += TTL_MS - 1_001;
    expect((await hasty.read('partition/3'))?.holder.id).toBe('anna');
    ahead.nowMs += 1;
    expect((await hasty.acquire('partition/3', BERT, TTL_MS))?.holder.id).toBe('bert');
  });

  test('leases are listed by prefix, whatever is in their names', async () => {
    expect(await lease.list('')).toEqual([]);
    const names = ['partition/0', 'partition/10', 'scheduler', 'instance/größe 1.a*>='];
    for (const name of names) await lease.acquire(name, ANNA, TTL_MS);
    expect((await lease.list('')).map(({ name }) => name).sort()).toEqual([...names].sort());
    expect((await lease.list('partition/')).map(({ name }) => name)).toEqual(['partition/0', 'partition/10']);
  });

  test('a bucket that is deleted is made anew', async () => {
    const held = await lease.acquire('partition/0', ANNA, TTL_MS);
    await link.manager.streams.delete(`KV_sluice_${deployment}_leases`);
    expect(await lease.renew(held!, TTL_MS)).toBeUndefined();
    expect((await lease.acquire('partition/0', BERT, TTL_MS))?.holder).toEqual(BERT);
  });

  test('without the server it says so at once', async () => {
    await link.close();
    expect(lease.connected).toBe(false);
    await expect(lease.acquire('partition/0', ANNA, TTL_MS)).rejects.toThrow('cannot be reached');
  });
});
