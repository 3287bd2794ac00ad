/** What every `Lease` promises; several leases on one service are several processes. */
import type { HeldLease, Lease, LeaseHolder } from '@sluice/ports';

/** One lease service, fresh for a test. */
export interface LeaseFixture {
  /** Connects a process. */
  open(): Promise<Lease>;
  /** Lets so much of the service's time pass. */
  elapse(milliseconds: number): Promise<void>;
  /** Closes what is open and removes what was stored. */
  dispose(): Promise<void>;
}

const ANN: LeaseHolder = { id: 'ann', address: '127.0.0.1:1001' };
const BEN: LeaseHolder = { id: 'ben', address: '127.0.0.1:1002' };
/** Adapters whose service counts in seconds need this much. */
const TTL_MS = 2000;

export function leaseContract(name: string, makeFixture: () => Promise<LeaseFixture>): void {
  describe(`lease contract: ${name}`, () => {
    let fixture: LeaseFixture;
    let ann: Lease;
    let ben: Lease;

    beforeEach(async () => {
      fixture = await makeFixture();
      ann = await fixture.open();
      ben = await fixture.open();
    });

    afterEach(() => fixture.dispose());

    const acquired = async (lease: Lease, leaseName: string, holder: LeaseHolder): Promise<HeldLease> => {
      const held = await lease.acquire(leaseName, holder, TTL_MS);
      if (held === undefined) throw new Error(`${holder.id} did not get ${leaseName}`);
      return held;
    };

    test('who comes first has it, and everybody sees who that is', async () => {
      expect(await ben.read('partition.0')).toBeUndefined();
      const held = await acquired(ann, 'partition.0', ANN);
      expect(held).toMatchObject({ name: 'partition.0', holder: ANN });
      expect(held.epoch).toBeGreaterThanOrEqual(1);
      expect(await ben.acquire('partition.0', BEN, TTL_MS)).toBeUndefined();
      expect(await ben.read('partition.0')).toMatchObject({ holder: ANN, epoch: held.epoch });
      expect(ann.connected && ben.connected).toBe(true);
    });

    test('of many that ask at the same time one gets it', async () => {
      const outcomes = await Promise.all([ann.acquire('x', ANN, TTL_MS), ben.acquire('x', BEN, TTL_MS)]);
      expect(outcomes.filter((held) => held !== undefined)).toHaveLength(1);
    });

    test('a lease that is given back is free at once, and the next epoch is higher', async () => {
      const first = await acquired(ann, 'x', ANN);
      await ann.release(first);
      expect(await ben.read('x')).toBeUndefined();
      const second = await acquired(ben, 'x', BEN);
      expect(second.epoch).toBeGreaterThan(first.epoch);
      await ben.release(second);
      expect((await acquired(ann, 'x', ANN)).epoch).toBeGreaterThan(second.epoch);
    });

    test('a lease that is not renewed runs out; its holder cannot renew it any more', async () => {
      const first = await acquired(ann, 'x', ANN);
      await fixture.elapse(TTL_MS + 500);
      const second = await acquired(ben, 'x', BEN);
      expect(second.epoch).toBeGreaterThan(first.epoch);
      expect(await ann.renew(first, TTL_MS)).toBeUndefined();
      await ann.release(first);
      expect(await ann.read('x')).toMatchObject({ holder: BEN, epoch: second.epoch });
    });

    test('renewing keeps it, in the same epoch', async () => {
      const first = await acquired(ann, 'x', ANN);
      await fixture.elapse(TTL_MS * 0.6);
      const renewed = await ann.renew(first, TTL_MS);
      expect(renewed).toMatchObject({ holder: ANN, epoch: first.epoch });
      await fixture.elapse(TTL_MS * 0.6);
      expect(await ben.acquire('x', BEN, TTL_MS)).toBeUndefined();
      expect(await ann.renew(renewed as HeldLease, TTL_MS)).toBeDefined();
    });

    test('held leases are listed by prefix', async () => {
      await acquired(ann, 'partition.0', ANN);
      await acquired(ben, 'partition.1', BEN);
      await acquired(ben, 'projector.0', BEN);
      await ann.release(await acquired(ann, 'partition.2', ANN));
      const held = (await ann.list('partition.')).map((lease) => `${lease.name} ${lease.holder.id}`);
      expect(held.sort()).toEqual(['partition.0 ann', 'partition.1 ben']);
    });

    test('releasing what was lost or given back does nothing', async () => {
      const held = await acquired(ann, 'x', ANN);
      await ann.release(held);
      await ann.release(held);
      const next = await acquired(ben, 'x', BEN);
      await ann.release(held);
      expect(await ann.read('x')).toMatchObject({ holder: BEN, epoch: next.epoch });
    });
  });
}
