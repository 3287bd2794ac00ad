/** How long the owner waits for the read store, and what it takes then. */
import { ManualClock, MemoryReadStore } from '@sluice/memory';
import type { RowWrite } from '@sluice/ports';
import { collectionsOf, projectionId } from '@sluice/projections';
import { CONTEST_PROJECTION, CONTESTS } from '@sluice/projections/contest';
import { ReadTotalsOfContests } from './read-totals';

const INCARNATION = 'ab'.repeat(16);
const ASKED = { contestId: 'c', sideCount: 2, partition: 0, sequence: 2, incarnation: INCARNATION };

let clock: ManualClock;
let store: MemoryReadStore;
let totals: ReadTotalsOfContests;

beforeEach(async () => {
  clock = new ManualClock();
  const collections = collectionsOf({ ...CONTEST_PROJECTION, collections: [CONTESTS] });
  store = new MemoryReadStore({ collections, identity: { incarnation: INCARNATION, partitions: 1 } });
  totals = new ReadTotalsOfContests(() => store, clock);
  await project(0);
});

async function project(previousSequence: number, writes: readonly RowWrite[] = []): Promise<void> {
  const batch = {
    partition: 0,
    projections: [projectionId(CONTEST_PROJECTION)],
    previousSequence,
    sequence: previousSequence + 1,
    committedAtUs: 1,
    writes,
  };
  await (await store.current()).apply(batch);
}

/** Lets happen what waits for nothing but its turn. */
async function settled(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

async function elapse(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 10) {
    await clock.elapse(10);
    await settled();
  }
}

function asked(waitMs: number): { readonly answer: Promise<unknown>; readonly isAnswered: () => boolean } {
  let answered = false;
  const answer = totals.of({ ...ASKED, waitMs }).finally(() => {
    answered = true;
  });
  return { answer, isAnswered: () => answered };
}

test('it waits for the projection as long as it may, and takes what is there then', async () => {
  const { answer, isAnswered } = asked(200);
  await elapse(190);
  expect(isAnswered()).toBe(false);
  await elapse(30);
  expect(await answer).toEqual({ read: { sidePoints: [0, 0], sideTotals: [0, 0], sequence: 1 }, notCompared: '' });
});

test('it waits no longer than the projection takes', async () => {
  const { answer, isAnswered } = asked(60_000);
  await elapse(50);
  expect(isAnswered()).toBe(false);
  await project(1);
  await elapse(30);
  expect(isAnswered()).toBe(true);
  expect(await answer).toMatchObject({ read: { sequence: 2 } });
});

test('without a wait it takes what is there', async () => {
  expect(await totals.of({ ...ASKED, waitMs: 0 })).toMatchObject({ read: { sequence: 1 } });
});

test.each<[string, ConstructorParameters<typeof ReadTotalsOfContests>[0], string]>([
  ['is configured', undefined, 'no read store is configured'],
  ['was reached yet', () => undefined, 'the read store was not reached yet'],
])('where no read store %s, it says so', async (_what, without, notCompared) => {
  expect(await new ReadTotalsOfContests(without, clock).of({ ...ASKED, waitMs: 60_000 })).toEqual({ read: undefined, notCompared });
});

test.each`
  sidePoints               | sideTotals | read
  ${'1,2'}                 | ${'3,-4'}  | ${{ sidePoints: [1, 2], sideTotals: [3, -4], sequence: 2 }}
  ${'1.5,2'}               | ${'3,4'}   | ${undefined}
  ${'1,2'}                 | ${'x,4'}   | ${undefined}
  ${'1'}                   | ${'3,4'}   | ${undefined}
  ${'1,2'}                 | ${'3,4,5'} | ${undefined}
  ${'9007199254740993,20'} | ${'3,4'}   | ${undefined}
`('of a row with $sidePoints and $sideTotals it takes $read', async ({ sidePoints, sideTotals, read }: Record<string, unknown>) => {
  const row = { contest_id: 'c', partition: 0, phase: 'RECONCILING', created_at_us: 1, sequence: 2 };
  await project(1, [{ kind: 'put', collection: CONTESTS.name, row: { ...row, side_round_points: sidePoints as string, side_points: sideTotals as string } }]);
  const notCompared = read === undefined ? 'the read store has no points of the sides' : '';
  expect(await totals.of({ ...ASKED, waitMs: 0 })).toEqual({ read, notCompared });
});
