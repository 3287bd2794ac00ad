/**
 * The day of a large branch is cut, and its accounts are swept, while postings to one account and to all accounts go on at full load: beside the same load without. Then a whole end of day
 * without traffic: roll, interest of every account, accounting. Beside it what one would do on PostgreSQL: a statement per step.
 */
import { type BatchRun, type BranchSettingsInput, SluiceClient, SluiceError } from '@sluice/client';
import type { Bench, EmbeddedTarget } from '../bench';
import type { Calls } from '../load/load-order';
import { numberedAccountId } from '../load/load-order';
import { creditOf } from '../load/request-frame';
import { proveAll } from '../measure/proof';
import type { Rounds } from '../measure/rounds';
import { dayCutFigures, dayCutTables, endOfDayFigures } from './day-cut-figures';
import { DayCutSides } from './day-cut-sides';
import { comparePostgresDays } from './day-cut-postgres';
import { ackFigures, lagFigures } from './figures';
import { HOT_ACCOUNT } from './hot-account';
import type { Scenario } from './scenario';

const ACCOUNTS = 1_000_000;
const BATCHES_IN_FLIGHT = 8;
const BRANCH = 'bench-branch';
const PRODUCT = 'bench-savings';
const FIRST_DATE = '2024-01-01';
const MS_PER_DAY = 86_400_000;
const FUNDS_MINOR = 1_000_000n;
const FUNDING_BATCH = 5_000;
const FUNDING_IN_FLIGHT = 4;
const CALL = { deadlineMs: 60_000 };
const LOOK_MS = 100;
/** Nothing but the cut and the sweep. */
const SWEEP_ONLY: BranchSettingsInput = { timeZone: 'UTC', jobs: ['REPORTS'] };
const WHOLE_DAY: BranchSettingsInput = { timeZone: 'UTC' };

export const dayCut: Scenario = {
  run: async (bench) => {
    const { options } = bench;
    const count = options.accounts ?? ACCOUNTS;
    const inFlight = options.inFlight ?? BATCHES_IN_FLIGHT;
    const target = await bench.startEmbedded('the server');
    const client = new SluiceClient({ target: target.server.address, ...CALL });
    bench.scratch.defer(() => client.close());
    const branch = new BenchBranch(client);
    await open(bench, target, client, count);

    const many: Calls = { kind: 'batches', batchSize: options.batchSize, account: { kind: 'random', count } };
    const hot: Calls = { kind: 'batches', batchSize: options.batchSize, account: { kind: 'one', accountId: HOT_ACCOUNT } };
    const hotSides = new DayCutSides(bench, { name: 'postings to one account', target, calls: hot, inFlight, endOfDay: () => branch.endDay() });
    const manySides = new DayCutSides(bench, { name: `postings to ${count} accounts`, target, calls: many, inFlight, endOfDay: () => branch.endDay() });
    const rounds = await bench.measure({ hotCut: hotSides.cut, hot: hotSides.without, manyCut: manySides.cut, many: manySides.without });
    const proof = await proveAll(bench, target);
    const sweeps = [...branch.runs];

    bench.progress.step(`the end of day of ${count} accounts without traffic`);
    await client.businessDays.update(BRANCH, WHOLE_DAY, 'whole-day', CALL);
    const bytesBefore = target.server.rssBytes();
    const whole = await branch.endDay();
    const bytesAfter = target.server.rssBytes();
    await target.control.drain();
    if (whole.setAsideCount > 0) bench.complaints.push(`${whole.setAsideCount} accounts were set aside: ${whole.setAside[0]?.reason}`);
    const { balanced } = await client.businessDays.trialBalance(BRANCH, whole.date, CALL);
    if (!balanced) bench.complaints.push('the trial balance of the whole end of day does not balance');
    const peakRssBytes = target.server.peakRssBytes();
    await target.server.stop();

    const postgres = options.compare.has('postgres') ? await comparePostgresDays(bench, count) : { missing: 'not asked for (--compare)' };
    const figures = dayCutFigures({
      accounts: count,
      hot: [rounds.hotCut as Rounds, rounds.hot as Rounds],
      many: [rounds.manyCut as Rounds, rounds.many as Rounds],
      sweeps,
      rejected: hotSides.rejected + manySides.rejected,
      endOfDay: endOfDayFigures(whole, bytesBefore, bytesAfter),
      postgres,
    });
    return {
      figures: {
        acceptedPerSecond: figures.hot.acceptedPerSecond,
        ...ackFigures(rounds.hotCut as Rounds),
        ...lagFigures(rounds.hot as Rounds),
        throughputRatio: figures.throughputRatio,
        p99Ratio: figures.p99Ratio,
        rejected: figures.rejected,
        sweptAccounts: figures.sweptAccounts,
        readyMs: target.server.readyMs,
        peakRssBytes,
        ...proof,
        verified: proof.verified && bench.complaints.length === 0,
      },
      dayCut: figures,
      skipped: peakRssBytes === undefined ? { peakRssBytes: 'this system does not tell the peak memory of a process' } : {},
      tables: dayCutTables(figures, rounds as Readonly<Record<keyof typeof rounds, Rounds>>),
    };
  },
};

/** Everything of the branch: every account has something, so that the first sweep changes every one. */
async function open(bench: Bench, target: EmbeddedTarget, client: SluiceClient, count: number): Promise<void> {
  const { progress } = bench;
  const inBranch = { branchId: BRANCH, product: PRODUCT };
  await client.products.create({ productId: PRODUCT, tiers: [{ fromMinor: 0n, basisPoints: 365 }], capitalisation: 'DAILY' }, 'create', CALL);
  await client.businessDays.register({ branchId: BRANCH, settings: SWEEP_ONLY, onlineDate: FIRST_DATE, requestId: 'register' }, CALL);
  await target.control.openAccounts([{ accountId: HOT_ACCOUNT, ...inBranch }]);
  await target.control.openAccounts(numberedIn(inBranch, count), (opened) => progress.amount('opening accounts', opened, count));
  await bench.postOnce(target, HOT_ACCOUNT, 'first');
  let next = 0;
  const fund = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next = Math.min(next + FUNDING_BATCH, count);
      const postings = Array.from({ length: next - from }, (_, at) => ({ ...creditOf(numberedAccountId(from + at), FUNDS_MINOR), requestId: 'funds' }));
      await target.control.postAll(postings);
      target.acknowledged += postings.length;
      progress.amount('funding accounts', from + postings.length, count);
    }
  };
  await Promise.all(Array.from({ length: FUNDING_IN_FLIGHT }, fund));
  await target.control.drain();
}

function* numberedIn<Branch>(branch: Branch, count: number): Iterable<Branch & { accountId: string }> {
  for (let index = 0; index < count; index += 1) yield { accountId: numberedAccountId(index), ...branch };
}

/** Ends one day after the other. */
class BenchBranch {
  readonly runs: BatchRun[] = [];
  private date = FIRST_DATE;

  constructor(private readonly client: SluiceClient) {}

  /** Resolves when the day has begun anew, as the read store tells. */
  async endDay(): Promise<BatchRun> {
    const { businessDays } = this.client;
    const { date } = this;
    this.date = new Date(Date.parse(date) + MS_PER_DAY).toISOString().slice(0, 10);
    await businessDays.end(BRANCH, { untilDate: date, requestId: `end-${date}` }, CALL);
    for (;;) {
      const run = await this.endedRun(`${BRANCH}/${date}`);
      if (run === undefined) continue;
      this.runs.push(run);
      return run;
    }
  }

  /** Undefined: the read store, which may be far behind under load, does not have it, or it has not ended. */
  private async endedRun(runId: string): Promise<BatchRun | undefined> {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    try {
      const run = await this.client.businessDays.getRun(runId, { ...CALL, positionTokens: [] });
      return run.state === 'ENDED' ? run : undefined;
    } catch (error) {
      if (error instanceof SluiceError && error.reason === 'BATCH_RUN_NOT_FOUND') return undefined;
      throw error;
    }
  }
}
