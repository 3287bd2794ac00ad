/** The command line of the bench. */
import { parseArgs } from 'node:util';

export class UsageError extends Error {}

export interface BenchOptions {
  /** Measured seconds of each side in each round. */
  readonly seconds: number;
  readonly rounds: number;
  readonly json: boolean;
  /** Calls in flight; undefined: what the scenario takes. */
  readonly inFlight: number | undefined;
  readonly connections: number;
  readonly batchSize: number;
  /** Accounts to open; undefined: what the scenario takes. */
  readonly accounts: number | undefined;
  /** restart: entries to write before the kill; contest: scores before the end. Undefined: what the scenario takes. */
  readonly entries: number | undefined;
  /** contest: callers that watch its standings. */
  readonly watchers: number;
  /** reservations: open ones whose memory is measured; undefined: it is not. */
  readonly open: number | undefined;
  /** distributed: with so many busy partitions and owners each. */
  readonly owners: readonly number[];
  /** tasks: created in bulk and run in each round. */
  readonly tasks: number;
  /** tasks: with so many worker processes. */
  readonly workers: readonly number[];
  /** The other ways to do it that are measured beside. */
  readonly compare: ReadonlySet<Comparison>;
  /** Write CPU profiles of the server under test there. */
  readonly profile: string | undefined;
  /** Where the temporary folders are made. */
  readonly folder: string | undefined;
}

export const COMPARISONS = ['echo', 'row-lock', 'postgres', 'redis', 'rivals'] as const;
export type Comparison = (typeof COMPARISONS)[number];

const MAXIMUM_BATCH_SIZE = 10_000;
const MAXIMUM_IN_FLIGHT = 1_000;
/** As many as `distributed` has partitions. */
export const MAXIMUM_OWNERS = 4;
const MAXIMUM_WORKERS = 16;
const MAXIMUM_WATCHERS = 10_000;

export const OPTIONS_USAGE = `
  --seconds N      measured seconds of each side in each round (5)
  --rounds N       rounds; what is reported is the median (3)
  --json           one JSON object as the last line; everything else goes to stderr
  --in-flight N    calls that wait for an answer at any moment
  --connections N  connections of the load generator (2)
  --batch N        postings of a batch (1000)
  --accounts N     accounts to open (many-accounts, transfers: 100000, fairness: 10000, restart, day-cut: 1000000); contest: members, and as many givers (10000); reservations: accounts, and as many identities (100000); timers: timers that wait, deliveries, tasks: those that wait (1000000)
  --entries N      restart: entries to write before the kill (5000000); contest: scores before the end (1000000)
  --watchers N     contest: callers that watch the standings (1000)
  --open N         reservations: open ones whose memory is measured at a server of its own, 1000000 say (not measured)
  --owners LIST    distributed: busy partitions and owners to compare (1,2,4)
  --tasks N        tasks: created in bulk and run in each round (50000)
  --workers LIST   tasks: worker processes to compare (1,2,4)
  --compare LIST   of echo, row-lock, postgres, redis, rivals; or none (all)
  --profile DIR    write CPU profiles of the server under test there
  --dir DIR        where temporary folders are made (the system's)`;

export function parseOptions(argv: readonly string[]): { readonly scenario: string | undefined; readonly help: boolean; readonly options: BenchOptions } {
  const { values, positionals } = parse(argv);
  if (positionals.length > 1) throw new UsageError(`one scenario at a time, not ${positionals.join(', ')}`);
  const whole = (name: string, text: string | undefined, fallback: number, maximum = Number.MAX_SAFE_INTEGER): number => {
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > maximum) throw new UsageError(`--${name} is a whole number from 1 to ${maximum}, not ${text}`);
    return value;
  };
  const seconds = Number(values.seconds ?? '5');
  if (!Number.isFinite(seconds) || seconds <= 0) throw new UsageError(`--seconds is a number above 0, not ${values.seconds}`);
  return {
    scenario: positionals[0],
    help: values.help ?? false,
    options: {
      seconds,
      rounds: whole('rounds', values.rounds, 3),
      json: values.json ?? false,
      inFlight: values['in-flight'] === undefined ? undefined : whole('in-flight', values['in-flight'], 1, MAXIMUM_IN_FLIGHT),
      connections: whole('connections', values.connections, 2, MAXIMUM_IN_FLIGHT),
      batchSize: whole('batch', values.batch, 1_000, MAXIMUM_BATCH_SIZE),
      accounts: values.accounts === undefined ? undefined : whole('accounts', values.accounts, 1, 9_999_999),
      entries: values.entries === undefined ? undefined : whole('entries', values.entries, 1),
      watchers: whole('watchers', values.watchers, 1_000, MAXIMUM_WATCHERS),
      open: values.open === undefined ? undefined : whole('open', values.open, 1),
      owners: (values.owners ?? '1,2,4').split(',').map((owners) => whole('owners', owners, 1, MAXIMUM_OWNERS)),
      tasks: whole('tasks', values.tasks, 50_000),
      workers: (values.workers ?? '1,2,4').split(',').map((workers) => whole('workers', workers, 1, MAXIMUM_WORKERS)),
      compare: comparisons(values.compare),
      profile: values.profile,
      folder: values.dir,
    },
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        seconds: { type: 'string' },
        rounds: { type: 'string' },
        json: { type: 'boolean' },
        'in-flight': { type: 'string' },
        connections: { type: 'string' },
        batch: { type: 'string' },
        accounts: { type: 'string' },
        entries: { type: 'string' },
        watchers: { type: 'string' },
        open: { type: 'string' },
        owners: { type: 'string' },
        tasks: { type: 'string' },
        workers: { type: 'string' },
        compare: { type: 'string' },
        profile: { type: 'string' },
        dir: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function comparisons(list: string | undefined): ReadonlySet<Comparison> {
  if (list === undefined) return new Set(COMPARISONS);
  if (list === 'none') return new Set();
  const isComparison = (name: string): name is Comparison => (COMPARISONS as readonly string[]).includes(name);
  const names = list.split(',');
  const unknown = names.find((name) => !isComparison(name));
  if (unknown !== undefined) throw new UsageError(`--compare knows ${COMPARISONS.join(', ')} and none, not ${unknown}`);
  return new Set(names.filter(isComparison));
}
