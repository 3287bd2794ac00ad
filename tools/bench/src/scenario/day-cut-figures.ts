/** What was measured of ends of day, as figures and beside its aims. */
import type { BatchRun } from '@sluice/client';
import { mergeHistograms, percentileMs } from '../measure/latency';
import { medianPerSecond, type Rounds } from '../measure/rounds';
import type { DayCutFigures, DayCutLoadFigures, EndOfDayFigures, PostgresDayFigures } from '../report/report';
import { sidesTable } from './figures';
import type { Table } from './scenario';

/** With an end of day, and without. */
type Pair = readonly [cut: Rounds, without: Rounds];

export interface DayCutMeasured {
  readonly accounts: number;
  readonly hot: Pair;
  readonly many: Pair;
  /** Of the days that were cut beside the load. */
  readonly sweeps: readonly BatchRun[];
  readonly rejected: number;
  readonly endOfDay: EndOfDayFigures;
  readonly postgres: PostgresDayFigures | { readonly missing: string };
}

const MEBIBYTE = 2 ** 20;
const MS_PER_SECOND = 1_000;

/** The ratios are the worse ones of the two loads. */
export function dayCutFigures({ accounts, hot, many, sweeps, rejected, endOfDay, postgres }: DayCutMeasured): DayCutFigures {
  const [hotFigures, manyFigures] = [loadFigures(hot), loadFigures(many)];
  const rolls = sweeps.map((run) => run.steps.find(({ kind }) => kind === 'ROLL'));
  const missing = 'missing' in postgres ? postgres.missing : null;
  return {
    accounts,
    throughputRatio: Math.min(hotFigures.throughputRatio, manyFigures.throughputRatio),
    p99Ratio: worst([hotFigures.p99Ratio, manyFigures.p99Ratio]),
    longestMs: worst([hotFigures.longestMs, manyFigures.longestMs]),
    rejected,
    // Of the sweep that looked at the fewest, and of the one that changed the most.
    sweptAccounts: Math.min(...rolls.map((roll) => Number(roll?.done ?? 0n))),
    rolledAccounts: Math.max(...rolls.map((roll) => Number(roll?.changed ?? 0n))),
    sweepSeconds: Math.max(...rolls.map((roll) => secondsOf(roll) ?? Number.NaN)),
    hot: hotFigures,
    many: manyFigures,
    endOfDay,
    postgres: 'missing' in postgres ? null : postgres,
    missing: missing === null ? {} : { PostgreSQL: missing },
  };
}

export function endOfDayFigures(run: BatchRun, bytesBefore: number | null, bytesAfter: number | null): EndOfDayFigures {
  const accounting = run.steps.find(({ job }) => job === 'ACCOUNTING');
  const interest = run.steps.find(({ job }) => job === 'INTEREST');
  return {
    seconds: secondsOf(run) ?? null,
    rollSeconds: secondsOf(run.steps.find(({ kind }) => kind === 'ROLL')) ?? null,
    interestSeconds: secondsOf(interest) ?? null,
    accountingSeconds: secondsOf(accounting) ?? null,
    interestAccounts: Number(interest?.changed ?? 0n),
    bytesBefore,
    bytesAfter,
  };
}

export function dayCutTables(figures: DayCutFigures, rounds: Readonly<Record<'hotCut' | 'hot' | 'manyCut' | 'many', Rounds>>): Table[] {
  const { hot, many, endOfDay, postgres } = figures;
  const mebibytes = (bytes: number | null): number | undefined => (bytes === null ? undefined : Math.round(bytes / MEBIBYTE));
  return [
    sidesTable([
      { name: 'one account, with an end of day', rounds: rounds.hotCut },
      { name: 'one account', rounds: rounds.hot },
      { name: `${figures.accounts} accounts, with an end of day`, rounds: rounds.manyCut },
      { name: `${figures.accounts} accounts`, rounds: rounds.many },
    ]),
    {
      head: ['', 'one account', 'all accounts', 'PostgreSQL', 'aim'],
      rows: [
        ['accepted with an end of day, to without', hot.throughputRatio, many.throughputRatio, postgres?.throughputRatio, '≥ 0.8'],
        ['p99 with an end of day, to without', hot.p99Ratio ?? undefined, many.p99Ratio ?? undefined, undefined, '≤ 1.5'],
        ['longest answer with an end of day, ms', hot.longestMs ?? undefined, many.longestMs ?? undefined, postgres?.longestMs, undefined],
        ['longest answer without, ms', hot.longestWithoutMs ?? undefined, many.longestWithoutMs ?? undefined, postgres?.longestWithoutMs, undefined],
      ],
    },
    {
      head: [`end of day of ${figures.accounts} accounts without traffic`, ''],
      rows: [
        ['seconds in all', endOfDay.seconds ?? undefined],
        ['roll', endOfDay.rollSeconds ?? undefined],
        [`interest, booked to ${endOfDay.interestAccounts} accounts`, endOfDay.interestSeconds ?? undefined],
        ['accounting', endOfDay.accountingSeconds ?? undefined],
        ['MiB of the server before', mebibytes(endOfDay.bytesBefore)],
        ['MiB after', mebibytes(endOfDay.bytesAfter)],
        ...(postgres === null ? [] : [['seconds of three statements on PostgreSQL, beside postings', postgres.seconds]]),
      ],
    },
  ];
}

function loadFigures([cut, without]: Pair): DayCutLoadFigures {
  const [cutP99Ms, p99Ms] = [latencyOf(cut, 99), latencyOf(without, 99)];
  return {
    acceptedPerSecond: Math.round(medianPerSecond(cut)),
    acceptedPerSecondWithout: Math.round(medianPerSecond(without)),
    throughputRatio: rounded(medianPerSecond(cut) / medianPerSecond(without)),
    p99Ms: cutP99Ms,
    p99WithoutMs: p99Ms,
    p99Ratio: cutP99Ms === null || p99Ms === null ? null : rounded(cutP99Ms / p99Ms),
    longestMs: latencyOf(cut, 100),
    longestWithoutMs: latencyOf(without, 100),
  };
}

function latencyOf(rounds: Rounds, percentile: number): number | null {
  return percentileMs(mergeHistograms(rounds.flatMap(({ latency }) => latency ?? [])), percentile) ?? null;
}

/** By the times of the commits. */
function secondsOf(step: { readonly begunAt: Date | undefined; readonly endedAt: Date | undefined } | undefined): number | undefined {
  if (step?.begunAt === undefined || step.endedAt === undefined) return undefined;
  return (step.endedAt.getTime() - step.begunAt.getTime()) / MS_PER_SECOND;
}

function worst(figures: readonly (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function rounded(figure: number): number {
  return Math.round(figure * 1_000) / 1_000;
}
