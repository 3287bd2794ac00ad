/**
 * Timers over the real engine, with clocks that jump, turns that are lost, restarts, and owners that take the partition from each other: whatever happens,
 * each timer fires once, in order, and never before it is due by its owner's clock.
 */
import fc from 'fast-check';
import { logEvents, type logpb, readCommit } from '@sluice/protocol';
import type { Capability } from '../capability';
import { Cluster, type EngineUnderTest } from '../test/engine-under-test';
import { journal, type JournalState } from '../test/journal';
import { rounds } from '../test/partition-under-test';

const PARTITION = 1;
/** Beyond every due time that a run has. */
const FAR_MS = 100_000;
/** Asked so often at most. */
const MAXIMUM_TRIES = 200;
/** Due times are multiples of it, so that many are the same. */
const GRID_US = 250_000;

const action = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('set' as const), name: fc.nat(12), inMs: fc.integer({ min: -100, max: 2_000 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), name: fc.nat(12) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 800 }) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('ask' as const), aheadMs: fc.integer({ min: -500, max: 500 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('setClock' as const), byMs: fc.integer({ min: -3_000, max: 3_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('loseTurn' as const), stored: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), snapshot: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('takeOver' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

class Run {
  readonly cluster = new Cluster();
  /** Commands that were decided before they were due by the clock of their owner. */
  readonly early: string[] = [];
  private readonly capability: Capability;
  private owners = 0;
  private owner!: EngineUnderTest;

  constructor() {
    const { clock } = this.cluster;
    this.capability = {
      ...journal,
      createState: (services) => {
        const state = journal.createState(services) as JournalState;
        const decide = state.decideInternal.bind(state);
        state.decideInternal = (turn, commands) => {
          for (const { id } of commands) if (Number(id.split('-').at(-1)) > clock.nowUs()) this.early.push(id);
          return decide(turn, commands);
        };
        return state;
      },
    };
  }

  async begin(): Promise<void> {
    this.owners += 1;
    this.owner = this.cluster.process(`owner-${this.owners}`, { capability: this.capability, limits: { snapshotBytes: 2_000 } });
    await this.owner.engine.own(PARTITION);
    await rounds();
  }

  async do(taken: Action): Promise<void> {
    const { clock } = this.cluster;
    switch (taken.kind) {
      case 'set': {
        const { name, inMs } = taken;
        const dueAtUs = Math.round((clock.nowUs() + inMs * 1_000) / GRID_US) * GRID_US;
        if (this.owner.engine.partition(PARTITION)?.state === 'serving') this.owner.submit(PARTITION, `+${name % 5 === 0 ? 'no' : ''}${name}@${dueAtUs}`);
        break;
      }
      case 'cancel':
        if (this.owner.engine.partition(PARTITION)?.state === 'serving') this.owner.submit(PARTITION, `-${taken.name}`);
        break;
      case 'pass':
        await clock.elapse(taken.ms);
        break;
      case 'ask':
        void this.owner.engine.timers.of(PARTITION)?.fire(clock.nowUs() + taken.aheadMs * 1_000);
        break;
      case 'setClock':
        clock.set(clock.nowUs() + taken.byMs * 1_000);
        break;
      case 'loseTurn':
        if (taken.stored) this.owner.log.faults.failNextAppendAfterStoring();
        else this.owner.log.faults.failNextAppend();
        break;
      case 'restart':
        await this.owner.engine.stop({ snapshot: taken.snapshot });
        await this.begin();
        break;
      case 'takeOver':
        // The owner before does not know: its next append is refused.
        await this.begin();
        break;
      default:
        taken satisfies never;
    }
    await rounds(3);
  }

  /** Lets everything fall due, and asks until nothing waits. */
  async finish(): Promise<void> {
    const { clock } = this.cluster;
    await clock.elapse(FAR_MS);
    for (let tries = 1; tries < MAXIMUM_TRIES; tries += 1) {
      const timers = this.owner.engine.timers.of(PARTITION);
      void timers?.fire(clock.nowUs());
      await clock.elapse(50);
      await rounds();
      if (timers !== undefined && this.owner.engine.timers.of(PARTITION) === timers && timers.state.pending === 0) return;
    }
    throw new Error(`timers wait still: ${JSON.stringify(this.owner.engine.timers.of(PARTITION)?.state)}, ${this.owner.troubles.join('; ')}`);
  }

  get lines(): readonly string[] {
    return this.owner.lines(PARTITION);
  }

  /** Follows the log with a sorted list. Returns the ids of the timers in the order in which they fired. */
  verifyLog(): { fired: string[]; rejected: string[] } {
    let pending: { number: number; name: string; dueAtUs: number }[] = [];
    const fired: string[] = [];
    const rejected: string[] = [];
    for (const { bytes } of this.cluster.storage.commitsOf(PARTITION)) {
      const commit = readCommit(bytes);
      for (const event of commit.events) {
        if (!logEvents.owns(event.type)) continue;
        logEvents.read(
          event,
          commit,
          {
            OwnershipTaken: () => undefined,
            RequestDecided: () => undefined,
            RequestsDecided: () => undefined,
            DeliveriesOwed: () => undefined,
            DeliveriesTaken: () => undefined,
            DeliveriesSettled: () => undefined,
            DeliveriesDead: () => undefined,
            DeliveriesRedriven: () => undefined,
            TimersSet: ({ firstNumber, timers }: logpb.TimersSet) => {
              for (const [at, { timerId, dueAtUs }] of timers.entries()) {
                pending = pending.filter(({ name }) => name !== timerId);
                pending.push({ number: Number(firstNumber) + at, name: timerId, dueAtUs: Number(dueAtUs) });
              }
            },
            TimersCancelled: ({ numbers }: logpb.TimersCancelled) => {
              for (const number of numbers) expect(pending.some((timer) => timer.number === Number(number))).toBe(true);
              pending = pending.filter(({ number }) => !numbers.includes(BigInt(number)));
            },
            TimersFired: ({ numbers, rejected: places }: logpb.TimersFired) => {
              for (const [at, number] of numbers.entries()) {
                pending.sort((left, right) => left.dueAtUs - right.dueAtUs || left.number - right.number);
                const first = pending.shift();
                expect(first?.number).toBe(Number(number));
                expect(commit.committedAtUs).toBeGreaterThanOrEqual(first?.dueAtUs ?? Number.POSITIVE_INFINITY);
                (places.some(({ place }) => place === at) ? rejected : fired).push(`t-${first?.name}-${first?.dueAtUs}`);
              }
            },
          },
          undefined,
        );
      }
    }
    expect(pending).toEqual([]);
    return { fired, rejected };
  }
}

test('each timer fires once, in order, not before it is due by its owner, whatever happens to clocks, turns and owners', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
      const run = new Run();
      await run.begin();
      for (const taken of actions) await run.do(taken);
      await run.finish();
      const { fired, rejected } = run.verifyLog();
      expect(run.early).toEqual([]);
      expect(run.lines.filter((line) => line.startsWith('t-'))).toEqual(fired);
      expect(rejected.filter((id) => !id.startsWith('t-no'))).toEqual([]);
      await run.cluster.stop();
    }),
    { numRuns: 60 },
  );
});
