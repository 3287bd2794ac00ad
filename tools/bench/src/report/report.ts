/**
 * What a run reports to machines: the same fields whatever the scenario. A figure that a scenario does not have, or that
 * could not be measured here, is null, and `skipped` says why.
 */
export interface Figures {
  /** Postings accepted per second; of `queries`: while the reads went on. */
  readonly acceptedPerSecond: number | null;
  /** From sending a call to its answer. */
  readonly ackP50Ms: number | null;
  readonly ackP99Ms: number | null;
  /** From commit to read store. */
  readonly lagP50Ms: number | null;
  readonly lagP99Ms: number | null;
  /** How fast the lag grows under load; about 0 when the projector keeps up. */
  readonly lagSlopeMsPerS: number | null;
  readonly echoPerSecond: number | null;
  readonly ratioToEcho: number | null;
  readonly ratioToRowLock: number | null;
  readonly ratioToPostgresRowLock: number | null;
  readonly ratioToPostgresBatch: number | null;
  readonly ratioToHotAccount: number | null;
  readonly ratioPoolOnOff: number | null;
  /** Accepted, and p99, while days were cut, to without; the worse ones of the loads that were measured. */
  readonly throughputRatio: number | null;
  readonly p99Ratio: number | null;
  /** Postings that were refused while days were cut. */
  readonly rejected: number | null;
  /** Accounts that every sweep behind a day cut looked at. */
  readonly sweptAccounts: number | null;
  /** From the start of the process to SERVING; of `restart`: and one posting acknowledged. */
  readonly readyMs: number | null;
  readonly peakRssBytes: number | null;
  /** Postings that callers were told are accepted, that the log has, that queries answer. */
  readonly acknowledged: number | null;
  readonly logged: number | null;
  readonly projected: number | null;
  /** acknowledged = logged = projected, the fold of the log equals the read store, and no call failed or was refused. */
  readonly verified: boolean | null;
}

/** Reads beside the postings; only of `queries`. */
export interface ReadFigures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecondWithoutLoad: number;
  readonly p99MsWithoutLoad: number;
  readonly ratioP99: number;
}

/** What only `distributed` has. */
export interface DistributedFigures {
  /** Which servers it ran on: the figures are theirs as much as ours. */
  readonly mongodb: string;
  readonly nats: string;
  /** One `$inc` and one insert per request on the same MongoDB. */
  readonly perRequestPerSecond: number;
  readonly ratioToPerRequest: number | null;
  readonly publishesPerSecond: number;
  readonly scale: readonly { readonly partitions: number; readonly owners: number; readonly acceptedPerSecond: number }[];
}

/** Accepted per second with telemetry, as a share of what was accepted without it in the same run. */
export interface TelemetryCost {
  readonly offPerSecond: number;
  /** Metrics counted, none asked for. */
  readonly metrics: number;
  /** Metrics sent by OTLP, and one trace of a hundred. */
  readonly sampled: number;
  /** Metrics sent by OTLP, and every trace. */
  readonly traced: number;
}

/** Only of `telemetry`. */
export interface TelemetryFigures {
  readonly batches: TelemetryCost;
  readonly singles: TelemetryCost;
}

/** How late timers fire. */
export interface TimerLateness {
  /** Timers that were due at the same moment, and milliseconds from then until the last was decided, and until its commit was in the log and read from it. */
  readonly burst: number;
  readonly burstDecidedMs: number;
  readonly burstMs: number;
  /** Timers that were due one after the other on an idle system, and from due to decided. */
  readonly singles: number;
  readonly lateP50Ms: number;
  readonly lateP99Ms: number;
  readonly latestMs: number;
}

/** Only of `timers`. */
export interface TimerFigures {
  readonly pending: number;
  /** Of one processor, while nothing is due. */
  readonly cpuShareEmpty: number | null;
  readonly cpuSharePending: number | null;
  /** Resident. */
  readonly bytesEmpty: number | null;
  readonly bytesPending: number | null;
  readonly embedded: TimerLateness;
  /** Null: there were no servers to run it on. */
  readonly distributed: TimerLateness | null;
}

/** Only of `fairness`. */
export interface FairnessFigures {
  /** Of single postings to random accounts, without the flood and beside it. */
  readonly aloneP50Ms: number;
  readonly aloneP99Ms: number;
  readonly besideP50Ms: number;
  readonly besideP99Ms: number;
  readonly ratioP99: number;
  /** Postings of the flooded account that were accepted, and that were refused. */
  readonly floodedPerSecond: number;
  readonly refusedPerSecond: number;
}

/** What one task system does. */
export interface TaskSystemFigures {
  /** Name and version. */
  readonly system: string;
  /** Created in batches. */
  readonly bulkPerSecond: number;
  /** Handled by a handler that does nothing, from the first start to the last, by so many worker processes. */
  readonly run: readonly { readonly workers: number; readonly perSecond: number }[];
  /** Created one by one, 64 in flight. */
  readonly singlesPerSecond: number;
  /** From the acknowledgement of a task to its start, while nothing else is done. */
  readonly startP50Ms: number;
  readonly startP99Ms: number;
}

/** Only of `tasks`. */
export interface TaskFigures {
  readonly sluice: TaskSystemFigures;
  /** The same with `waiting` tasks of another type in the queue. */
  readonly besideWaiting: TaskSystemFigures;
  readonly rivals: readonly TaskSystemFigures[];
  /** Why a rival is not there. */
  readonly missing: Readonly<Record<string, string>>;
  /** To the best of the rivals; null: there is none. Of `run`: by one worker process. */
  readonly ratioBulk: number | null;
  readonly ratioRun: number | null;
  /** Singles to postings one by one to one account. */
  readonly ratioSinglesToHotAccount: number;
  /** To BullMQ; null: it is not there. */
  readonly ratioStartP50: number | null;
  /** How far the p99 of the start is above BullMQ's. */
  readonly startP99AboveMs: number | null;
  /** Of one durable write on the disk. */
  readonly fsyncP99Ms: number;
  readonly waiting: number;
  /** Beside those that wait to without them. */
  readonly ratioBulkWaiting: number;
  readonly ratioRunWaiting: number;
  readonly ratioSinglesWaiting: number;
  readonly ratioStartP50Waiting: number;
  /** Resident memory of the server without tasks, and with those that wait when the read store has them. */
  readonly bytesEmpty: number | null;
  readonly bytesWaiting: number | null;
}

/** How long the end of a contest takes. */
export interface ContestEndFigures {
  readonly scores: number;
  readonly winners: number;
  /** From the end of the round until its sums were compared with the log. */
  readonly reconciledMs: number;
  /** From there until every reward had its verdict. */
  readonly rewardedMs: number;
}

/** Only of `contest`. */
export interface ContestFigures {
  readonly members: number;
  readonly scoresPerSecond: number;
  readonly giftsPerSecond: number;
  readonly hotAccountPerSecond: number;
  readonly ratioScores: number | null;
  readonly ratioGifts: number | null;
  /** GetStandings, from the first member on and around one, beside the scores; null: none was answered in time. */
  readonly standingsPerSecond: number;
  readonly standingsP50Ms: number | null;
  readonly standingsP99Ms: number | null;
  readonly watchers: number;
  /** From the acknowledgement of a score until a watcher has seen it; null: none was acknowledged in time. */
  readonly seenP50Ms: number | null;
  readonly seenP99Ms: number | null;
  /** Scores beside the watchers, and the part of those without that this costs. */
  readonly watchedPerSecond: number;
  readonly watchersCost: number | null;
  /** Null: `missing` says why. */
  readonly redisEverySecPerSecond: number | null;
  readonly redisAlwaysPerSecond: number | null;
  readonly postgresUpdatesPerSecond: number | null;
  readonly missing: Readonly<Record<string, string>>;
  readonly end: ContestEndFigures;
}

/** Resident memory of a server without reservations, and with those that are open when the read store has them. */
export interface OpenReservationFigures {
  readonly open: number;
  readonly bytesEmpty: number | null;
  readonly bytesOpen: number | null;
}

/** Only of `reservations`. */
export interface ReservationFigures {
  readonly identities: number;
  /** Reservations and associate requests in batches, settled, and postings to as many accounts. */
  readonly requestsPerSecond: number;
  readonly manyAccountsPerSecond: number;
  readonly ratioToManyAccounts: number | null;
  /** Reservations of one resource, settled, and postings to one account. */
  readonly resourcePerSecond: number;
  readonly hotAccountPerSecond: number;
  readonly ratioResourceToHotAccount: number | null;
  /** One request at a time, and one posting to one account at a time; null: none was answered in time. */
  readonly singleP50Ms: number | null;
  readonly singleP99Ms: number | null;
  readonly postingP50Ms: number | null;
  readonly ratioP50: number | null;
  /** Null: `missing` says why. */
  readonly postgresRequestsPerSecond: number | null;
  readonly postgresPlacesPerSecond: number | null;
  readonly missing: Readonly<Record<string, string>>;
  /** Null: not asked for (`--open`). */
  readonly memory: OpenReservationFigures | null;
}

/** Postings while a day is cut and its accounts are swept, and without. */
export interface DayCutLoadFigures {
  readonly acceptedPerSecond: number;
  readonly acceptedPerSecondWithout: number;
  readonly throughputRatio: number;
  readonly p99Ms: number | null;
  readonly p99WithoutMs: number | null;
  readonly p99Ratio: number | null;
  /** The longest answer. */
  readonly longestMs: number | null;
  readonly longestWithoutMs: number | null;
}

/** A whole end of day without traffic, by the times of its commits; null: the step was not told. */
export interface EndOfDayFigures {
  readonly seconds: number | null;
  readonly rollSeconds: number | null;
  readonly interestSeconds: number | null;
  readonly accountingSeconds: number | null;
  /** Accounts that interest was booked to. */
  readonly interestAccounts: number;
  /** Resident memory of the server. */
  readonly bytesBefore: number | null;
  readonly bytesAfter: number | null;
}

/** The end of day as three statements on PostgreSQL, beside a transaction per posting from 64 clients. */
export interface PostgresDayFigures {
  readonly acceptedPerSecond: number;
  readonly acceptedPerSecondWithout: number;
  readonly throughputRatio: number;
  /** The longest transaction. */
  readonly longestMs: number;
  readonly longestWithoutMs: number;
  /** Of the three statements. */
  readonly seconds: number;
}

/** Only of `day-cut`. */
export interface DayCutFigures {
  readonly accounts: number;
  /** The worse ones of the two loads. */
  readonly throughputRatio: number;
  readonly p99Ratio: number | null;
  readonly longestMs: number | null;
  readonly rejected: number;
  /** Accounts that every sweep looked at, and that the largest one changed; how long the longest one took. */
  readonly sweptAccounts: number;
  readonly rolledAccounts: number;
  readonly sweepSeconds: number;
  /** Postings to one account, and to random ones of all. */
  readonly hot: DayCutLoadFigures;
  readonly many: DayCutLoadFigures;
  readonly endOfDay: EndOfDayFigures;
  /** Null: `missing` says why. */
  readonly postgres: PostgresDayFigures | null;
  readonly missing: Readonly<Record<string, string>>;
}

export type FigureName = keyof Figures;

export interface BenchReport extends Figures {
  readonly scenario: string;
  readonly seconds: number;
  readonly reads?: ReadFigures;
  readonly distributed?: DistributedFigures;
  readonly telemetry?: TelemetryFigures;
  readonly timers?: TimerFigures;
  readonly fairness?: FairnessFigures;
  readonly tasks?: TaskFigures;
  readonly contest?: ContestFigures;
  readonly reservations?: ReservationFigures;
  readonly dayCut?: DayCutFigures;
  readonly skipped: Readonly<Partial<Record<FigureName, string>>>;
}

export interface Outcome {
  readonly figures: Readonly<Partial<Record<FigureName, number | boolean | null | undefined>>>;
  /** Why a figure that belongs to the scenario is not there. */
  readonly skipped: Readonly<Partial<Record<FigureName, string>>>;
  readonly reads?: ReadFigures;
  readonly distributed?: DistributedFigures;
  readonly telemetry?: TelemetryFigures;
  readonly timers?: TimerFigures;
  readonly fairness?: FairnessFigures;
  readonly tasks?: TaskFigures;
  readonly contest?: ContestFigures;
  readonly reservations?: ReservationFigures;
  readonly dayCut?: DayCutFigures;
}

const FIGURE_NAMES = [
  'acceptedPerSecond',
  'ackP50Ms',
  'ackP99Ms',
  'lagP50Ms',
  'lagP99Ms',
  'lagSlopeMsPerS',
  'echoPerSecond',
  'ratioToEcho',
  'ratioToRowLock',
  'ratioToPostgresRowLock',
  'ratioToPostgresBatch',
  'ratioToHotAccount',
  'ratioPoolOnOff',
  'throughputRatio',
  'p99Ratio',
  'rejected',
  'sweptAccounts',
  'readyMs',
  'peakRssBytes',
  'acknowledged',
  'logged',
  'projected',
  'verified',
] as const satisfies readonly FigureName[];

const SIGNIFICANT_DIGITS = 4;

export function makeReport(
  scenario: string,
  seconds: number,
  { figures, skipped, reads, distributed, telemetry, timers, fairness, tasks, contest, reservations, dayCut }: Outcome,
): BenchReport {
  const reasons: Partial<Record<FigureName, string>> = {};
  const entries = FIGURE_NAMES.map((name) => {
    const figure = figures[name];
    if (figure !== undefined && figure !== null) return [name, typeof figure === 'number' ? rounded(figure) : figure];
    reasons[name] = skipped[name] ?? `${scenario} does not measure it`;
    return [name, null];
  });
  return {
    scenario,
    seconds,
    ...(Object.fromEntries(entries) as Figures),
    ...(reads && { reads }),
    ...(distributed && { distributed }),
    ...(telemetry && { telemetry }),
    ...(timers && { timers }),
    ...(fairness && { fairness }),
    ...(tasks && { tasks }),
    ...(contest && { contest }),
    ...(reservations && { reservations }),
    ...(dayCut && { dayCut }),
    skipped: reasons,
  };
}

/** Counts stay exact; what was measured is not known to more than a few digits. */
function rounded(figure: number): number {
  return Number.isInteger(figure) ? figure : Number(figure.toPrecision(Math.max(SIGNIFICANT_DIGITS, String(Math.trunc(Math.abs(figure))).length)));
}
