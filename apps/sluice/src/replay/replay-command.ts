/** `sluice replay`: a real file against a server; every answer is compared with what is written down in it. */
import { existsSync } from 'node:fs';
import {
  MalformedFileError,
  replayBank,
  replayContests,
  replayDays,
  type ReplayObserver,
  replayReservations,
  type ReplaySummary,
  replayTasks,
  summarizeContestReplay,
  summarizeDayReplay,
  summarizeReplay,
  summarizeReservationReplay,
  summarizeTaskReplay,
} from '@sluice/replay';
import { type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../argument';
import type { Surroundings } from '../connection';
import { EXIT, PlainFailure } from '../exit-code';
import { Output, type ProgressBar } from '../output';
import { type Destination, DESTINATION_HELP, type DestinationOptions, type Intrusion, openDestination } from './destination';
import { untilFilled } from './filled-rows';
import { spoilTotalsOf } from './spoil-totals';

interface TasksOptions extends DestinationOptions {
  readonly limit?: number;
  readonly scale: number;
  readonly chaos?: boolean;
}

interface DaysOptions extends DestinationOptions {
  readonly limit?: number;
  readonly chaos?: boolean;
}

interface ReservationsOptions extends DestinationOptions {
  readonly scale: number;
}

interface ContestsOptions extends DestinationOptions {
  readonly tamper?: boolean;
}

/** With at most one worker each, the tasks of a replay have two at least. */
const MINIMUM_WORKERS = 2;
const DEFAULT_SCALE = 1_000;
/** A day in 20 ms. */
const DEFAULT_HOTEL_SCALE = 4_320_000;
/** The client repeats a read that is refused; meanwhile it says nothing. */
const LOOK_DEADLINE_MS = 5_000;

export function addReplayCommand(program: Command, surroundings: Surroundings): void {
  const command = program
    .command('replay')
    .description('replay a real file and compare every answer')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice replay bank bank-1993.csv.gz\n  sluice replay tasks grid-jobs.csv.gz --limit 5000\n  sluice replay contests matches.csv.gz goals.csv.gz\n  sluice replay reservations hotel-bookings.csv.gz\n  sluice replay days bank-1993.csv.gz',
    );
  addBank(command, surroundings);
  addTasks(command, surroundings);
  addContests(command, surroundings);
  addReservations(command, surroundings);
  addDays(command, surroundings);
}

function addBank(program: Command, surroundings: Surroundings): void {
  program
    .command('bank')
    .description('post every transaction of a bank file and compare every balance')
    .argument('<file>', 'CSV, plain or gzipped: date,transaction_id,account_id,branch_id,amount_minor,balance_after_minor,kind')
    .option('--data <folder>', 'start an embedded server on this data folder')
    .addHelpText(
      'after',
      `${DESTINATION_HELP}
A second run over the same data posts nothing and says so.

Examples:
  sluice replay bank bank-1993.csv.gz
  sluice replay bank bank-1993.csv.gz --data /tmp/replay
  sluice replay bank bank-1993.csv.gz --target 10.0.0.5:7400
  sluice replay bank bank-1993.csv.gz --target distributed`,
    )
    .action((file: string, _options: unknown, command: Command) =>
      replay([file], command.optsWithGlobals<DestinationOptions>(), surroundings, undefined, async ({ client }, observer, output) => {
        await untilFilled(client, () => client.accounts.listPage({}, { pageSize: 1, deadlineMs: LOOK_DEADLINE_MS }), output);
        const report = await replayBank({ file, client, observer });
        return { report, summary: summarizeReplay(report) };
      }),
    );
}

function addTasks(program: Command, surroundings: Surroundings): void {
  program
    .command('tasks')
    .description('run every job of a grid file as a task with a time limit and compare how each ended')
    .argument('<file>', 'CSV, plain or gzipped: task_id,submitted_s,run_s,requested_s,site')
    .option('--limit <jobs>', 'replay only the first ones', positive)
    .option('--scale <factor>', 'how many times faster than in the file', positive, DEFAULT_SCALE)
    .option('--chaos', 'kill a worker and the command service on the way')
    .option('--data <folder>', 'start an embedded server on this data folder')
    .addHelpText(
      'after',
      `${DESTINATION_HELP}
A job's limit is a twentieth of the time that was asked for. Jobs that ran to within 50 ms of it are reported apart.

Examples:
  sluice replay tasks grid-jobs.csv.gz --limit 5000 --scale 1000
  sluice replay tasks grid-jobs.csv.gz --limit 5000 --scale 1000 --data /tmp/replay --chaos
  sluice replay tasks grid-jobs.csv.gz --limit 5000 --scale 1000 --target distributed --chaos`,
    )
    .action((file: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<TasksOptions>();
      const killed = options.chaos === true;
      return replay([file], options, surroundings, killed ? 'chaos' : undefined, async ({ client, commandTargets, killable }, observer, output) => {
        await untilFilled(client, () => client.tasks.queueStats('replay', { deadlineMs: LOOK_DEADLINE_MS }), output);
        const { limit = Number.POSITIVE_INFINITY, scale } = options;
        const report = await replayTasks({
          file,
          limit,
          scale,
          client,
          workerTargets: commandTargets && atLeast(MINIMUM_WORKERS, commandTargets),
          chaos: killed ? killable : undefined,
          observer,
        });
        return { report, summary: summarizeTaskReplay(report) };
      });
    });
}

function addContests(program: Command, surroundings: Surroundings): void {
  program
    .command('contests')
    .description('play every match of a football file as a contest and compare every score, round and winner')
    .argument('<matches>', 'CSV, plain or gzipped: match_id,home,away,home_score,away_score,shootout_winner')
    .argument('<goals>', 'CSV, plain or gzipped: match_id,n,minute,team,scorer')
    .option('--tamper', 'change totals in the read store on the way: the reconciliation must report and repair each')
    .option('--data <folder>', 'start an embedded server on this data folder')
    .addHelpText(
      'after',
      `${DESTINATION_HELP}
A shootout of a draw is a round of sudden death. A second run gets the first answers again; after one with --tamper it takes --tamper, too.

Examples:
  sluice replay contests matches.csv.gz goals.csv.gz
  sluice replay contests matches.csv.gz goals.csv.gz --data /tmp/replay
  sluice replay contests matches.csv.gz goals.csv.gz --data /tmp/tampered --tamper
  sluice replay contests matches.csv.gz goals.csv.gz --target distributed`,
    )
    .action((matchesFile: string, goalsFile: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<ContestsOptions>();
      const intrusion = options.tamper === true ? 'tamper' : undefined;
      return replay([matchesFile, goalsFile], options, surroundings, intrusion, async ({ client, openReadStore }, observer, output) => {
        await untilFilled(client, () => client.contests.listPage({}, { pageSize: 1, deadlineMs: LOOK_DEADLINE_MS }), output);
        const opened = intrusion && (await openReadStore?.());
        try {
          const report = await replayContests({ matchesFile, goalsFile, client, spoil: opened && spoilTotalsOf(opened.store), observer });
          return { report, summary: summarizeContestReplay(report) };
        } finally {
          await opened?.close();
        }
      });
    });
}

function addReservations(program: Command, surroundings: Surroundings): void {
  program
    .command('reservations')
    .description('make every booking of a hotel file as a reservation and compare how each ended')
    .argument('<file>', 'CSV, plain or gzipped: reservation_number,booked_on,arrival_on,reserved_room_type,final_status,final_status_on')
    .option('--scale <factor>', 'how many times faster than in the file', positive, DEFAULT_HOTEL_SCALE)
    .option('--data <folder>', 'start an embedded server on this data folder')
    .addHelpText(
      'after',
      `${DESTINATION_HELP}
Three bookings share an identity. Check-Out is reserve, associate and complete; Canceled is reserve and cancel; No-Show is reserve and expiry.
Half of the associate requests name the identity alone, and one in ten comes before its reserve.

Examples:
  sluice replay reservations hotel-bookings.csv.gz
  sluice replay reservations hotel-bookings.csv.gz --data /tmp/replay
  sluice replay reservations hotel-bookings.csv.gz --target distributed`,
    )
    .action((file: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<ReservationsOptions>();
      return replay([file], options, surroundings, undefined, async ({ client }, observer, output) => {
        await untilFilled(client, () => client.reservations.listPage({}, { pageSize: 1, deadlineMs: LOOK_DEADLINE_MS }), output);
        const report = await replayReservations({ file, scale: options.scale, client, observer });
        return { report, summary: summarizeReservationReplay(report) };
      });
    });
}

function addDays(program: Command, surroundings: Surroundings): void {
  program
    .command('days')
    .description('close every day of a bank file in every branch while the next one is posted, and compare every closing balance')
    .argument('<file>', 'CSV, plain or gzipped: date,transaction_id,account_id,branch_id,amount_minor,balance_after_minor,kind')
    .option('--limit <days>', 'replay only the first ones', positive)
    .option('--chaos', 'kill the command service in the middle of ends of day')
    .option('--data <folder>', 'start an embedded server on this data folder')
    .addHelpText(
      'after',
      `${DESTINATION_HELP}
Every branch cuts its day when its postings are answered, and posts the next day while the end of day runs. Transfers between the branches are sent through the
cut. Compared are the closing balance of every account and day, the trial balance of every branch and day with the sums of the file, and the day proof from the log.

Examples:
  sluice replay days bank-1993.csv.gz
  sluice replay days bank-1993.csv.gz --limit 31 --data /tmp/replay
  sluice replay days bank-1993.csv.gz --data /tmp/replay --chaos
  sluice replay days bank-1993.csv.gz --target distributed --chaos`,
    )
    .action((file: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<DaysOptions>();
      const killed = options.chaos === true;
      return replay([file], options, surroundings, killed ? 'chaos' : undefined, async ({ client, killable }, observer, output) => {
        await untilFilled(client, () => client.businessDays.branchesPage({ pageSize: 1, deadlineMs: LOOK_DEADLINE_MS }), output);
        const { limit = Number.POSITIVE_INFINITY } = options;
        const report = await replayDays({ file, limit, client, chaos: killed ? killable : undefined, observer });
        return { report, summary: summarizeDayReplay(report) };
      });
    });
}

async function replay(
  files: readonly string[],
  options: DestinationOptions,
  surroundings: Surroundings,
  intrusion: Intrusion | undefined,
  run: (destination: Destination, observer: ReplayObserver, output: Output) => Promise<{ readonly report: unknown; readonly summary: ReplaySummary }>,
): Promise<void> {
  for (const file of files) if (!existsSync(file)) throw new PlainFailure(`there is no file ${file}`, EXIT.usage);
  const output = new Output(surroundings.terminal, options.json === true);
  const destination = await openDestination(options, surroundings, output, intrusion);
  try {
    const { report, summary } = await run(destination, observerOf(output), output);
    if (output.json) output.object(report);
    else for (const line of summary.lines) output.line(line);
    surroundings.exit(summary.exitCode);
  } catch (error) {
    if (error instanceof MalformedFileError) throw new PlainFailure(error.message, EXIT.refused);
    throw error;
  } finally {
    destination.client.close();
    await destination.end();
  }
}

function observerOf(output: Output): ReplayObserver {
  let bar: ProgressBar | undefined;
  return {
    step: (name, total) => {
      bar = total === undefined ? undefined : output.progress(name, total);
    },
    progress: (done) => bar?.at(done),
    stepDone: () => bar?.end(),
  };
}

function positive(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('it is a whole number, 1 or more');
  return number;
}

/** The targets in turn, as often as it takes. */
function atLeast(count: number, targets: readonly string[]): string[] {
  return Array.from({ length: Math.max(count, targets.length) }, (_, at) => targets[at % targets.length] as string);
}
