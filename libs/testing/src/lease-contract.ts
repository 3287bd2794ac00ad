/** What every `Lease` promises; several leases on one service are several processes. */
import type { HeldLease, Lease, LeaseEvent, LeaseHolder } from '@sluice/ports';

/** One lease service, fresh for a test. */
export interface LeaseFixture {
  /** Time to live of the processes' leases. */
  readonly ttlMs: number;
  /** Connects a process. */
  open(holder: LeaseHolder): Promise<Lease>;
  /** The process ends without a word. */
  kill(lease: Lease): Promise<void>;
  /** Lets so much of the processes' time pass. */
  elapse(milliseconds: number): Promise<void>;
  /** Closes what is open and removes what was stored. */
  dispose(): Promise<void>;
}

const ANN: LeaseHolder = { id: 'ann', address: '127.0.0.1:1001' };
const BEN: LeaseHolder = { id: 'ben', address: '127.0.0.1:1002' };

export function leaseContract(name: string, makeFixture: () => Promise<LeaseFixture>): void {
  describe(`lease contract: ${name}`, () => {
    let fixture: LeaseFixture;
    let ann: Lease;
    let ben: Lease;

    beforeEach(async () => {
      fixture = await makeFixture();
      ann = await fixture.open(ANN);
      ben = await fixture.open(BEN);
    });

    afterEach(() => fixture.dispose());

    const acquired = async (lease: Lease, leaseName: string): Promise<HeldLease> => {
      const held = await lease.acquire(leaseName);
      if (held === undefined) throw new Error(`${lease.holder.id} did not get ${leaseName}`);
      return held;
    };

    /** Lets time pass until the condition holds. */
    const eventually = async (condition: () => boolean | Promise<boolean>): Promise<void> => {
      for (let attempt = 0; attempt < 100; attempt += 1) {
        if (await condition()) return;
        await fixture.elapse(fixture.ttlMs / 12);
      }
      throw new Error('it does not come about');
    };

    const eventsOf = (lease: Lease): LeaseEvent[] => {
      const events: LeaseEvent[] = [];
      lease.watch((event) => events.push(event));
      return events;
    };

    test('who comes first has it, and everybody sees who that is', async () => {
      expect(await ben.read('partition/0')).toBeUndefined();
      const held = await acquired(ann, 'partition/0');
      expect(held).toMatchObject({ name: 'partition/0', holder: ANN });
      expect(held.epoch).toBeGreaterThanOrEqual(1);
      expect(await ben.acquire('partition/0')).toBeUndefined();
      expect(await ben.read('partition/0')).toEqual(held);
      expect(ann.connected && ben.connected).toBe(true);
      expect([ann.holder, ann.ttlMs]).toEqual([ANN, fixture.ttlMs]);
    });

    test('who has it and asks again has it', async () => {
      const held = await acquired(ann, 'x');
      expect(await ann.acquire('x')).toEqual(held);
    });

    test('of many that ask at the same time one gets it', async () => {
      const outcomes = await Promise.all([ann.acquire('x'), ben.acquire('x'), ann.acquire('y'), ben.acquire('y')]);
      expect(outcomes.filter((held) => held !== undefined).map((held) => held.name)).toEqual(expect.arrayContaining(['x', 'y']));
      expect(outcomes.filter((held) => held !== undefined)).toHaveLength(2);
    });

    test('a lease that is given back is free at once, and the next epoch is higher', async () => {
      const first = await acquired(ann, 'x');
      await ann.release(first);
      expect(await ben.read('x')).toBeUndefined();
      const second = await acquired(ben, 'x');
      expect(second.epoch).toBeGreaterThan(first.epoch);
      await ben.release(second);
      expect((await acquired(ann, 'x')).epoch).toBeGreaterThan(second.epoch);
    });

    test('a lease is kept for as long as its holder lives', async () => {
      const held = await acquired(ann, 'x');
      for (let third = 0; third < 9; third += 1) await fixture.elapse(fixture.ttlMs / 3);
      expect(await ben.acquire('x')).toBeUndefined();
      expect(await ben.read('x')).toEqual(held);
    });

    test('the lease of a holder that is silent runs out, not before its time', async () => {
      const first = await acquired(ann, 'x');
      await fixture.kill(ann);
      await fixture.elapse(fixture.ttlMs / 3);
      expect(await ben.acquire('x')).toBeUndefined();
      await eventually(async () => (await ben.read('x')) === undefined);
      const second = await acquired(ben, 'x');
      expect(second.epoch).toBeGreaterThan(first.epoch);
      const events = eventsOf(ben);
      expect(events).toContainEqual({ kind: 'held', lease: second, confirmed: true });
    });

    test('a process that has only begun to watch grants every holder its whole time', async () => {
      await acquired(ann, 'x');
      await fixture.kill(ann);
      await fixture.elapse(fixture.ttlMs * 2);
      const carl = await fixture.open({ id: 'carl', address: 'c:1' });
      expect(await carl.acquire('x')).toBeUndefined();
      await eventually(async () => (await carl.acquire('x')) !== undefined);
      await fixture.elapse(fixture.ttlMs);
    });

    test('an instance that is started again has at once what its earlier process had', async () => {
      const first = await acquired(ann, 'x');
      await fixture.kill(ann);
      const again = await fixture.open(ANN);
      expect((await acquired(again, 'x')).epoch).toBeGreaterThan(first.epoch);
    });

    test('everything that is known is told at first, then every change', async () => {
      const held = await acquired(ann, 'x');
      await ann.release(await acquired(ann, 'y'), 'ben');
      await eventually(() => eventsOf(ben).length === 2 && eventsOf(ben).some(({ kind }) => kind === 'free'));
      const events = eventsOf(ben);
      expect(events).toContainEqual({ kind: 'held', lease: held, confirmed: true });
      expect(events).toContainEqual({ kind: 'free', name: 'y', successor: 'ben' });
      events.length = 0;
      const mine = await acquired(ben, 'y');
      expect(events).toEqual([{ kind: 'held', lease: mine, confirmed: true }]);
      await ann.release(held);
      await eventually(() => events.length === 2);
      expect(events[1]).toEqual({ kind: 'free', name: 'x', successor: undefined });
    });

    test('who stops to watch is told nothing', async () => {
      const events: LeaseEvent[] = [];
      const end = ann.watch((event) => events.push(event));
      end();
      await acquired(ann, 'x');
      expect(events).toEqual([]);
    });

    test('what a process still holds when it is closed is free', async () => {
      await acquired(ann, 'x');
      await ann.close();
      expect(ann.connected).toBe(false);
      await expect(ann.acquire('y')).rejects.toThrow();
      await eventually(async () => (await ben.acquire('x')) !== undefined);
    });

    test('releasing what was lost or given back does nothing', async () => {
      const held = await acquired(ann, 'x');
      await ann.release(held);
      await ann.release(held);
      const next = await acquired(ben, 'x');
      await ann.release(held);
      expect(await ann.read('x')).toEqual(next);
    });
  });
}
