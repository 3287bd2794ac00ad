/** `sluice queue list | stats | pause | resume | purge | limit` */
import type { QueueLimits, QueueStats, RateLimit } from '@sluice/client';
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { UsageError } from '../exit-code';
import { clockText } from '../output';
import { statsPairs } from './task-view';

export function addQueueCommand(program: Command, surroundings: Surroundings): void {
  const queue = program.command('queue').description('queues of tasks: counts, pauses, limits');
  addStatsCommands(queue, surroundings);
  addPauseCommands(queue, surroundings);
  addLimitCommand(queue, surroundings);
}

function addStatsCommands(queue: Command, surroundings: Surroundings): void {
  queue
    .command('list')
    .description('list queues with their counts')
    .action((_options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const queues: QueueStats[] = [];
        for await (const stats of client.tasks.queues()) queues.push(stats);
        output.table(queues, {
          queue: (row) => row.queue,
          paused: (row) => (row.paused ? 'yes' : ''),
          submitted: (row) => row.counts.submitted,
          running: (row) => row.counts.running,
          succeeded: (row) => row.counts.succeeded,
          failed: (row) => row.counts.failed,
          cancelled: (row) => row.counts.cancelled,
          'without a worker': (row) => row.typesNeverStarted.join(', '),
        });
      }),
    );
  queue
    .command('stats')
    .description('show the counts of a queue, by type')
    .argument('<queue>')
    .option('--watch', 'again after every change, until Ctrl-C')
    .action((name: string, options: { readonly watch?: boolean }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        if (options.watch !== true) {
          const stats = await client.tasks.queueStats(name);
          output.thing(stats, statsPairs(stats));
          if (output.json || stats.types.length === 0) return;
          output.table(stats.types, {
            type: (row) => row.type,
            submitted: (row) => row.counts.submitted,
            running: (row) => row.counts.running,
            succeeded: (row) => row.counts.succeeded,
            failed: (row) => row.counts.failed,
            cancelled: (row) => row.counts.cancelled,
            'last started': (row) => clockText(row.lastStartedAt),
          });
          return;
        }
        for await (const stats of client.tasks.watchQueue(name, { signal: surroundings.interrupted })) {
          const { submitted, running, succeeded, failed, cancelled } = stats.counts;
          if (output.json) output.object(stats);
          else output.line(`submitted ${submitted}  running ${running}  succeeded ${succeeded}  failed ${failed}  cancelled ${cancelled}`);
        }
      }),
    );
}

function addPauseCommands(queue: Command, surroundings: Surroundings): void {
  queue
    .command('pause')
    .description('start no further attempts; those under way go on')
    .argument('<queue>')
    .option('--note <text>', 'why, for people')
    .action((name: string, { note }: { readonly note?: string }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        await client.tasks.pauseQueue(name, note);
        output.thing({ queue: name, paused: true }, [['queue', `${name} is paused`]]);
      }),
    );
  queue
    .command('resume')
    .description('start attempts again')
    .argument('<queue>')
    .action((name: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        await client.tasks.resumeQueue(name);
        output.thing({ queue: name, paused: false }, [['queue', `${name} is resumed`]]);
      }),
    );
  queue
    .command('purge')
    .description('cancel every task that waits now')
    .argument('<queue>')
    .option('--note <text>', 'why, for people')
    .action((name: string, { note }: { readonly note?: string }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const waitingTasks = await client.tasks.purgeQueue(name, note);
        output.thing({ queue: name, waitingTasks }, [['cancelled', waitingTasks]]);
      }),
    );
}

interface LimitOptions {
  readonly running?: number;
  readonly rate?: string;
  readonly perKey?: number;
  readonly ratePerKey?: string;
  readonly type?: Readonly<Record<string, number>>;
  readonly typeRate?: Readonly<Record<string, RateLimit>>;
}

function addLimitCommand(queue: Command, surroundings: Surroundings): void {
  queue
    .command('limit')
    .description('set all limits of a queue anew; without options: none')
    .argument('<queue>')
    .option('--running <count>', 'attempts under way at most', wholeNumber)
    .option('--rate <starts/milliseconds>', 'starts in every window of that length, like 100/1000')
    .option('--per-key <count>', 'attempts under way at most per key (default 1)', wholeNumber)
    .option('--rate-per-key <starts/milliseconds>', 'starts per key in every window of that length')
    .option('--type <type=count>', 'attempts of a type under way at most; may be repeated', typeLimit)
    .option('--type-rate <type=starts/milliseconds>', 'starts of a type in every window of that length; may be repeated', typeRate)
    .addHelpText('after', '\nExample:\n  sluice queue limit mail --running 50 --rate 100/1000 --type welcome=5 --type-rate welcome=10/1000')
    .action((name: string, options: LimitOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const limits: QueueLimits = {
          maximumRunning: options.running,
          rate: rateOf(options.rate),
          maximumRunningPerKey: options.perKey,
          ratePerKey: rateOf(options.ratePerKey),
          types: typeLimitsOf(options),
        };
        await client.tasks.configureQueue(name, limits);
        output.thing({ queue: name, ...limits }, [['queue', `the limits of ${name} are set`]]);
      }),
    );
}

function typeLimitsOf({ type = {}, typeRate: rates = {} }: LimitOptions): QueueLimits['types'] {
  const types = new Set([...Object.keys(type), ...Object.keys(rates)]);
  return Object.fromEntries([...types].map((name) => [name, { maximumRunning: type[name], rate: rates[name] }]));
}

function typeLimit(text: string, gathered: Readonly<Record<string, number>> = {}): Record<string, number> {
  const [type, count] = typeAndValue(text, '--type is TYPE=COUNT');
  return { ...gathered, [type]: wholeNumber(count) };
}

function typeRate(text: string, gathered: Readonly<Record<string, RateLimit>> = {}): Record<string, RateLimit> {
  const [type, rate] = typeAndValue(text, '--type-rate is TYPE=STARTS/MILLISECONDS');
  return { ...gathered, [type]: rateOf(rate) as RateLimit };
}

/** A type may have an equals sign. */
function typeAndValue(text: string, wanted: string): readonly [type: string, value: string] {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new UsageError(wanted);
  return [text.slice(0, at), text.slice(at + 1)];
}

function rateOf(text: string | undefined): RateLimit | undefined {
  if (text === undefined) return undefined;
  const [, starts, windowMs] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (starts === undefined) throw new UsageError('a rate is STARTS/MILLISECONDS, like 100/1000');
  return { maximumStarts: Number(starts), windowMs: Number(windowMs) };
}
