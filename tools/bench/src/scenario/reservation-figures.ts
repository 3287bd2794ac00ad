/** What was measured of reservations, as figures and beside its aims. */
import { mergeHistograms, percentileMs } from '../measure/latency';
import { medianPerSecond, type Rounds } from '../measure/rounds';
import type { ReservationFigures } from '../report/report';
import { ratio } from './figures';
import type { Table } from './scenario';

type SidesMeasured = Readonly<
  Record<'requests' | 'many' | 'resource' | 'hot' | 'single' | 'posting' | 'postgresRequests' | 'postgresPlaces', Rounds | undefined>
>;

const MEBIBYTE = 2 ** 20;

export function reservationFigures(rounds: SidesMeasured, around: Pick<ReservationFigures, 'identities' | 'missing' | 'memory'>): ReservationFigures {
  const perSecond = (measured: Rounds | undefined): number => Math.round(medianPerSecond(measured as Rounds));
  const ofRival = (measured: Rounds | undefined): number | null => (measured === undefined ? null : perSecond(measured));
  const singleP50Ms = percentileOf(rounds.single, 50);
  const postingP50Ms = percentileOf(rounds.posting, 50);
  return {
    requestsPerSecond: perSecond(rounds.requests),
    manyAccountsPerSecond: perSecond(rounds.many),
    ratioToManyAccounts: rounded(ratio(rounds.requests, rounds.many)),
    resourcePerSecond: perSecond(rounds.resource),
    hotAccountPerSecond: perSecond(rounds.hot),
    ratioResourceToHotAccount: rounded(ratio(rounds.resource, rounds.hot)),
    singleP50Ms,
    singleP99Ms: percentileOf(rounds.single, 99),
    postingP50Ms,
    ratioP50: singleP50Ms === null || postingP50Ms === null ? null : rounded(singleP50Ms / postingP50Ms),
    postgresRequestsPerSecond: ofRival(rounds.postgresRequests),
    postgresPlacesPerSecond: ofRival(rounds.postgresPlaces),
    ...around,
  };
}

export function reservationAimsTable({ memory, ...figures }: ReservationFigures): Table {
  const mebibytes = (bytes: number | null): number | undefined => (bytes === null ? undefined : Math.round(bytes / MEBIBYTE));
  return {
    head: ['', 'measured', 'aim'],
    rows: [
      ['reserve and associate in batches, to postings to as many accounts', figures.ratioToManyAccounts ?? undefined, '≥ 0.5'],
      ['reserve of one resource, to postings to one account', figures.ratioResourceToHotAccount ?? undefined, '≥ 0.3'],
      ['one request at a time, p50, to one posting at a time', figures.ratioP50 ?? undefined, '≤ 3'],
      ...(memory === null
        ? []
        : [
            ['MiB of the server without reservations', mebibytes(memory.bytesEmpty), undefined],
            [`MiB with ${memory.open} open ones`, mebibytes(memory.bytesOpen), '≤ 954 with 1000000'],
          ]),
    ],
  };
}

function percentileOf(rounds: Rounds | undefined, percentile: number): number | null {
  return percentileMs(mergeHistograms((rounds ?? []).flatMap(({ latency }) => latency ?? [])), percentile) ?? null;
}

function rounded(figure: number | undefined): number | null {
  return figure === undefined ? null : Math.round(figure * 1_000) / 1_000;
}
