/** `sluice task create | get | list | watch | cancel | retry | redrive` */
import { type RetryPolicyInput, type Task, TASK_STATES, type TaskInput, type TaskState, type TimeLimits } from '@sluice/client';
import { type Command, Option } from 'commander';
import { dateOf, pair, timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { EXIT } from '../exit-code';
import { firstOf, pageOf } from '../listing';
import { UsageError } from '../exit-code';
import { barText, clockText, type Output } from '../output';
import { addRedriveCommand } from './redrive-command';
import { failureText, oneLabel, payloadOf, progressText, receiptPairs, taskPairs } from './task-view';

const DEFAULT_SHOWN = 100;
/** Of a bar of progress. */
const BAR_CELLS = 20;

export interface TaskOptions {
  readonly payload?: string;
  readonly contentType?: string;
  readonly priority?: string;
  readonly key?: string;
  readonly delay?: number;
  readonly label?: Readonly<Record<string, string>>;
  readonly dedupeKey?: string;
  readonly dedupeRule?: 'REFUSE' | 'RETURN_EXISTING' | 'REPLACE';
  readonly parent?: string;
  readonly submitToStart?: number;
  readonly startToFinish?: number;
  readonly submitToFinish?: number;
  readonly heartbeat?: number;
  readonly attempts?: number;
  readonly firstPause?: number;
  readonly growth?: number;
  readonly maximumPause?: number;
  readonly jitter?: number;
  readonly retryTimeLimit?: boolean;
}

export function addTaskOptions(command: Command): Command {
  return command
    .option('--payload <text>', 'for the handler; JSON if it is JSON')
    .option('--content-type <type>', 'what the payload is (default: what it looks like)')
    .option('--priority <number>', 'a task of a higher one is started first')
    .option('--key <key>', 'tasks with the same key run one after the other')
    .option('--delay <milliseconds>', 'not started before', wholeNumber)
    .option('--label <name=value>', 'by which tasks are found; may be repeated', pair)
    .option('--submit-to-start <milliseconds>', 'time limit until the first attempt starts', wholeNumber)
    .option('--start-to-finish <milliseconds>', 'time limit of an attempt', wholeNumber)
    .option('--submit-to-finish <milliseconds>', 'time limit of the task', wholeNumber)
    .option('--heartbeat <milliseconds>', 'time limit between two signs of life', wholeNumber)
    .option('--attempts <count>', 'attempts that may fail (default 3)', wholeNumber)
    .option('--first-pause <milliseconds>', 'after the first failed attempt (default 1000)', wholeNumber)
    .option('--growth <percent>', 'by which each pause is longer than the one before (default 100)', wholeNumber)
    .option('--maximum-pause <milliseconds>', 'longest pause (default 600000)', wholeNumber)
    .option('--jitter <percent>', 'by which a pause is shortened at most (default 0)', wholeNumber)
    .option('--retry-time-limit', 'try again after an attempt took too long, too');
}

export function taskInputOf(type: string, options: TaskOptions): Omit<TaskInput, 'requestId'> {
  const priority = Number(options.priority ?? 0);
  if (!Number.isInteger(priority)) throw new UsageError('--priority is a whole number');
  const limits: TimeLimits = {
    submitToStartMs: options.submitToStart,
    startToFinishMs: options.startToFinish,
    submitToFinishMs: options.submitToFinish,
    heartbeatMs: options.heartbeat,
  };
  const retry: RetryPolicyInput = {
    maximumAttempts: options.attempts,
    firstPauseMs: options.firstPause,
    growthPercent: options.growth,
    maximumPauseMs: options.maximumPause,
    jitterPercent: options.jitter,
    retryTimeLimit: options.retryTimeLimit,
  };
  return {
    type,
    payload: payloadOf(options.payload),
    contentType: options.contentType,
    priority,
    key: options.key,
    delayMs: options.delay,
    labels: options.label,
    limits: isSaid(limits) ? limits : undefined,
    retry: isSaid(retry) ? retry : undefined,
    dedupeKey: options.dedupeKey,
    dedupeRule: options.dedupeRule,
    parentTaskId: options.parent,
  };
}

function isSaid(options: object): boolean {
  return Object.values(options).some((option) => option !== undefined);
}

export function addTaskCommand(program: Command, surroundings: Surroundings): void {
  const task = program
    .command('task')
    .description('submit tasks, watch them, cancel them')
    .addHelpText(
      'after',
      '\nExamples:\n  sluice task create mail welcome --payload \'{"to":"ada"}\'\n  sluice task watch mail/1\n  sluice task list mail --state FAILED',
    );
  addCreateCommand(task, surroundings);
  addReadCommands(task, surroundings);
  addWatchCommand(task, surroundings);
  addChangeCommands(task, surroundings);
  addRedriveCommand(task, surroundings);
}

function addCreateCommand(task: Command, surroundings: Surroundings): void {
  const create = task
    .command('create')
    .description('submit a task')
    .argument('<queue>')
    .argument('<type>', 'names the handler')
    .option('--dedupe-key <key>', 'one task at a time with this key')
    .addOption(new Option('--dedupe-rule <rule>', 'what a second one does').choices(['REFUSE', 'RETURN_EXISTING', 'REPLACE']))
    .option('--parent <task>', 'the task that it is a part of')
    .option('--start-at <time>', 'not started before (ISO 8601)', timeUs)
    .option('--request-id <id>', 'id of this request; made when not given');
  addTaskOptions(create).action(
    (queue: string, type: string, options: TaskOptions & { readonly requestId?: string; readonly startAt?: number }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { requestId, startAt } = options;
        const receipt = await client.tasks.create(queue, {
          requestId,
          startAt: dateOf(startAt),
          ...taskInputOf(type, options),
        });
        output.thing(receipt, receiptPairs(receipt));
      }),
  );
}

interface ListOptions {
  readonly state?: TaskState;
  readonly type?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly parent?: string;
  readonly oldestFirst?: boolean;
  readonly limit: number;
}

function addReadCommands(task: Command, surroundings: Surroundings): void {
  task
    .command('get')
    .description('show a task with its attempts')
    .argument('<task>', 'like mail/17')
    .action((taskId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.tasks.get(taskId);
        output.thing(found, taskPairs(found));
      }),
    );
  task
    .command('list')
    .description('list the tasks of a queue, the newest first')
    .argument('<queue>')
    .addOption(new Option('--state <state>', 'only this state').choices([...TASK_STATES]))
    .option('--type <type>', 'only this type')
    .option('--label <name=value>', 'only with this label', pair)
    .option('--parent <task>', 'only children of this task')
    .option('--oldest-first', 'oldest first')
    .option('--limit <count>', 'at most so many; 0: all', wholeNumber, DEFAULT_SHOWN)
    .action((queue: string, options: ListOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const filter = {
          queue,
          state: options.state,
          type: options.type,
          label: oneLabel(options.label),
          parentTaskId: options.parent,
          newestFirst: options.oldestFirst !== true,
        };
        const tasks = await firstOf(options.limit, client.tasks.list(filter, pageOf(options.limit)));
        output.table<Task>(tasks, {
          task: (row) => row.taskId,
          type: (row) => row.type,
          state: (row) => row.state,
          attempts: (row) => row.attemptCount,
          progress: (row) => progressText(row.progress),
          submitted: (row) => clockText(row.submittedAt),
          ended: (row) => clockText(row.endedAt),
          failure: (row) => failureText(row.failure),
        });
      }),
    );
}

function addWatchCommand(task: Command, surroundings: Surroundings): void {
  task
    .command('watch')
    .description('show a task now and after every change, until it has ended')
    .argument('<task>')
    .action((taskId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        let last: Task | undefined;
        for await (const seen of client.tasks.watch(taskId, { signal: surroundings.interrupted })) {
          showChange(output, seen);
          last = seen;
        }
        return last?.state === 'FAILED' || last?.state === 'CANCELLED' ? EXIT.refused : EXIT.done;
      }),
    );
}

function showChange(output: Output, task: Task): void {
  if (output.json) {
    output.object(task);
    return;
  }
  const { progress } = task;
  const bar =
    progress === undefined || progress.total === 0 ? progressText(progress) : `${barText(progress.done / progress.total, BAR_CELLS)} ${progressText(progress)}`;
  output.line(`${clockText(task.endedAt ?? task.startedAt ?? task.submittedAt)}  ${task.state.padEnd(9)}  ${bar}${failureText(task.failure)}`.trimEnd());
}

function addChangeCommands(task: Command, surroundings: Surroundings): void {
  task
    .command('cancel')
    .description('end a task that has not ended; its worker is told at once')
    .argument('<task>')
    .option('--expected-version <version>', 'only if it has this state version', wholeNumber)
    .option('--note <text>', 'why, for people')
    .option('--request-id <id>', 'id of this request; made when not given')
    .action((taskId: string, options: { expectedVersion?: number; note?: string; requestId?: string }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const receipt = await client.tasks.cancel(taskId, options);
        output.thing(receipt, receiptPairs(receipt));
      }),
    );
  task
    .command('retry')
    .description('submit what an ended task was again, as a new task')
    .argument('<task>')
    .option('--request-id <id>', 'id of this request; made when not given')
    .action((taskId: string, options: { requestId?: string }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const receipt = await client.tasks.retry(taskId, options.requestId);
        output.thing(receipt, receiptPairs(receipt));
      }),
    );
}
