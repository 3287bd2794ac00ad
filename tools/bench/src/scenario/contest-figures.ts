/** What was measured of a hot contest, as figures and beside its aims. */
import { mergeHistograms, percentileMs, type Histogram } from '../measure/latency';
import { median } from '../measure/median';
import { medianPerSecond, type Rounds } from '../measure/rounds';
import type { ContestFigures } from '../report/report';
import { ratio } from './figures';
import type { Table } from './scenario';

export type RivalSides<Of> = Readonly<Record<'redisEverySec' | 'redisAlways' | 'postgres', Of | undefined>>;

type SidesMeasured = Readonly<Record<'scores' | 'hot' | 'gifts' | 'watched', Rounds | undefined>> & RivalSides<Rounds>;
type SpeedName =
  | 'scoresPerSecond'
  | 'giftsPerSecond'
  | 'hotAccountPerSecond'
  | 'ratioScores'
  | 'ratioGifts'
  | 'watchedPerSecond'
  | 'watchersCost'
  | 'redisEverySecPerSecond'
  | 'redisAlwaysPerSecond'
  | 'postgresUpdatesPerSecond';

/** Reads of the standings in one round. */
export interface Reads {
  readonly latency: Histogram;
  readonly perSecond: number;
}

export function speedFigures(rounds: SidesMeasured): Pick<ContestFigures, SpeedName> {
  const perSecond = (measured: Rounds | undefined): number => Math.round(medianPerSecond(measured as Rounds));
  const ofRival = (measured: Rounds | undefined): number | null => (measured === undefined ? null : perSecond(measured));
  const watchedPart = ratio(rounds.watched, rounds.scores);
  return {
    scoresPerSecond: perSecond(rounds.scores),
    giftsPerSecond: perSecond(rounds.gifts),
    hotAccountPerSecond: perSecond(rounds.hot),
    ratioScores: rounded(ratio(rounds.scores, rounds.hot)),
    ratioGifts: rounded(ratio(rounds.gifts, rounds.hot)),
    watchedPerSecond: perSecond(rounds.watched),
    watchersCost: watchedPart === undefined ? null : rounded(1 - watchedPart),
    redisEverySecPerSecond: ofRival(rounds.redisEverySec),
    redisAlwaysPerSecond: ofRival(rounds.redisAlways),
    postgresUpdatesPerSecond: ofRival(rounds.postgres),
  };
}

export function readFigures(reads: readonly Reads[]): Pick<ContestFigures, 'standingsPerSecond' | 'standingsP50Ms' | 'standingsP99Ms'> {
  const latency = mergeHistograms(reads.map((round) => round.latency));
  return {
    standingsPerSecond: Math.round(median(reads.map(({ perSecond }) => perSecond))),
    standingsP50Ms: percentileMs(latency, 50) ?? null,
    standingsP99Ms: percentileMs(latency, 99) ?? null,
  };
}

export function seenFigures(rounds: readonly Histogram[]): Pick<ContestFigures, 'seenP50Ms' | 'seenP99Ms'> {
  const latency = mergeHistograms(rounds);
  return { seenP50Ms: percentileMs(latency, 50) ?? null, seenP99Ms: percentileMs(latency, 99) ?? null };
}

export function aimsTable(figures: ContestFigures): Table {
  const { end } = figures;
  return {
    head: ['', 'measured', 'aim'],
    rows: [
      ['scores, to postings to one account', figures.ratioScores ?? undefined, '≥ 0.8'],
      ['gifts, to postings to one account', figures.ratioGifts ?? undefined, '≥ 0.25'],
      ['standings read beside the scores, p99 ms', figures.standingsP99Ms ?? undefined, '< 20'],
      [`a score seen by ${figures.watchers} watchers after its acknowledgement, p99 ms`, figures.seenP99Ms ?? undefined, '≤ 500'],
      ['part of the scores that the watchers cost', figures.watchersCost ?? undefined, '≤ 0.2'],
      [`${end.scores} scores compared with the log at the end, ms`, end.reconciledMs, '≤ 2000'],
      [`${end.winners} winners rewarded, ms`, end.rewardedMs, '≤ 5000'],
    ],
  };
}

function rounded(figure: number | undefined): number | null {
  return figure === undefined ? null : Math.round(figure * 1_000) / 1_000;
}
