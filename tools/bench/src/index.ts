/**
 * The bench: `npm run bench -- SCENARIO`, `sluice bench SCENARIO`. Real processes, loopback gRPC, durable as in production;
 * every run proves at its end that what it counted is there. docs/performance.md says what the figures mean.
 *
 * What a scenario needs is loaded when it is asked for, because the command line loads this module at every start.
 */
import { OPTIONS_USAGE, parseOptions, UsageError } from './options';
import type { Scenario } from './scenario/scenario';

export type { BenchReport, DistributedFigures, Figures, ReadFigures, TelemetryFigures } from './report/report';

interface KnownScenario {
  readonly name: string;
  /** One line for the usage. */
  readonly about: string;
  load(): Promise<Scenario>;
}

const SCENARIOS: readonly KnownScenario[] = [
  {
    name: 'hot-account',
    about: 'batches of postings to one account, beside an echo server, row locks and PostgreSQL',
    load: async () => (await import('./scenario/hot-account.js')).hotAccount,
  },
  {
    name: 'hot-account-unary',
    about: '64 single postings in flight (--in-flight 1: the latency of one)',
    load: async () => (await import('./scenario/hot-account.js')).hotAccountUnary,
  },
  {
    name: 'many-accounts',
    about: 'batches of postings to 100,000 accounts at random, beside the hot account',
    load: async () => (await import('./scenario/many-accounts.js')).manyAccounts,
  },
  {
    name: 'transfers',
    about: 'transfers between two hot accounts, and between 100,000 at random, beside the hot account and PostgreSQL',
    load: async () => (await import('./scenario/transfers.js')).transfers,
  },
  {
    name: 'queries',
    about: 'GetAccount and ListEntries under full hot-account load, and without',
    load: async () => (await import('./scenario/queries.js')).queries,
  },
  {
    name: 'fairness',
    about: 'single postings to random accounts, alone and beside a flooded account',
    load: async () => (await import('./scenario/fairness.js')).fairness,
  },
  { name: 'signed', about: 'every posting signed: the worker pool always against never', load: async () => (await import('./scenario/signed.js')).signed },
  {
    name: 'restart',
    about: '1,000,000 accounts, 5,000,000 entries, kill -9: until SERVING and one posting acknowledged',
    load: async () => (await import('./scenario/restart.js')).restart,
  },
  {
    name: 'telemetry',
    about: 'hot-account postings with metrics and traces against without, in batches and one by one',
    load: async () => (await import('./scenario/telemetry.js')).telemetry,
  },
  {
    name: 'tasks',
    about: 'create, run and start tasks, with 1,000,000 that wait and without, beside graphile-worker, pg-boss and BullMQ',
    load: async () => (await import('./scenario/tasks.js')).tasks,
  },
  {
    name: 'contest',
    about: 'scores, gifts, standings and 1,000 watchers of one contest of 10,000 members, beside Redis and PostgreSQL; the end of a contest',
    load: async () => (await import('./scenario/contest.js')).contest,
  },
  {
    name: 'reservations',
    about: 'reserve and associate over many numbers, one hot resource, and one by one, beside postings and PostgreSQL; with --open N memory of open ones',
    load: async () => (await import('./scenario/reservations.js')).reservations,
  },
  {
    name: 'day-cut',
    about: 'postings to one account and to 1,000,000 while their branch cuts its day and sweeps them; a whole end of day; PostgreSQL',
    load: async () => (await import('./scenario/day-cut.js')).dayCut,
  },
  {
    name: 'timers',
    about: '1,000,000 timers that wait, 10,000 that are due at once, single ones on an idle system; embedded and distributed',
    load: async () => (await import('./scenario/timers.js')).timers,
  },
  {
    name: 'deliveries',
    about: 'two hot aggregates in different partitions exchange deliveries; 1,000,000 that wait for a target that is away',
    load: async () => (await import('./scenario/deliveries.js')).deliveries,
  },
  {
    name: 'distributed',
    about: 'hot-account batches through two command processes on MongoDB and JetStream',
    load: async () => (await import('./scenario/distributed.js')).distributed,
  },
];

const EXIT_HELPED = 0;
const EXIT_USAGE = 2;

/** Runs one scenario; resolves with the exit code: 0 only if acknowledged = log = read store. */
export async function runBench(argv: readonly string[]): Promise<number> {
  try {
    const { scenario: name, help, options } = parseOptions(argv);
    if (help) {
      process.stdout.write(`${usage()}\n`);
      return EXIT_HELPED;
    }
    const known = SCENARIOS.find((scenario) => scenario.name === name);
    if (known === undefined) throw new UsageError(name === undefined ? 'which scenario?' : `there is no scenario ${name}`);
    const { runScenario } = await import('./run-scenario.js');
    return await runScenario(known.name, await known.load(), options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage()}\n`);
    return EXIT_USAGE;
  }
}

function usage(): string {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  return `usage: bench SCENARIO [options]\n\n${SCENARIOS.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join('\n')}\n${OPTIONS_USAGE}`;
}
