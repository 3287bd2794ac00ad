/** `sluice schedule create | list | get | next | pause | resume | run | delete` */
import type { CatchUpRule, OverlapRule, Schedule, SluiceClient } from '@sluice/client';
import { type Command, Option } from 'commander';
import { dateOf, timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { clockText } from '../output';
import { addTaskOptions, taskInputOf, type TaskOptions } from './task-command';
import { schedulePairs, whenText } from './task-view';

interface ScheduleOptions extends TaskOptions {
  readonly type: string;
  readonly cron?: string;
  readonly interval?: number;
  readonly timeZone?: string;
  readonly overlap?: OverlapRule;
  readonly catchUp?: CatchUpRule;
  readonly beginAt?: number;
  readonly endAt?: number;
  readonly requestId?: string;
}

export function addScheduleCommand(program: Command, surroundings: Surroundings): void {
  const schedule = program
    .command('schedule')
    .description('tasks that are submitted by themselves')
    .addHelpText('after', "\nExample:\n  sluice schedule create mail nightly --type report --cron '30 2 * * *' --time-zone Europe/Berlin");
  addCreateCommand(schedule, surroundings);
  addReadCommands(schedule, surroundings);
  addChangeCommands(schedule, surroundings);
}

function addCreateCommand(schedule: Command, surroundings: Surroundings): void {
  const create = schedule
    .command('create')
    .description('make a schedule')
    .argument('<queue>', 'where its tasks are submitted')
    .argument('<name>')
    .requiredOption('--type <type>', 'type of its tasks')
    .option('--cron <expression>', 'five fields, or six with seconds')
    .option('--interval <milliseconds>', 'from run to run', wholeNumber)
    .option('--time-zone <name>', 'in which cron fields are read, like Europe/Berlin (default UTC)')
    .addOption(new Option('--overlap <rule>', 'while the run before is under way').choices(['SKIP', 'BUFFER', 'ALLOW']))
    .addOption(new Option('--catch-up <rule>', 'of runs that were missed').choices(['NONE', 'LATEST', 'ALL']))
    .option('--begin-at <time>', 'no runs before it (ISO 8601)', timeUs)
    .option('--end-at <time>', 'no runs from it on (ISO 8601)', timeUs)
    .option('--request-id <id>', 'id of this request; made when not given');
  addTaskOptions(create).action((queue: string, name: string, options: ScheduleOptions, command: Command) =>
    withClient(command, surroundings, async (client, output) => {
      const { cron, interval: intervalMs, timeZone, overlap, catchUp, requestId, type } = options;
      const task = taskInputOf(type, options);
      const beginAt = dateOf(options.beginAt);
      const endAt = dateOf(options.endAt);
      const made = await client.tasks.createSchedule({ requestId, queue, name, cron, intervalMs, timeZone, overlap, catchUp, task, beginAt, endAt });
      output.thing(made, [['schedule', made.scheduleId], ...made.nextRuns.map((run, at) => [`run ${at + 1}`, clockText(run)] as const)]);
    }),
  );
}

function addReadCommands(schedule: Command, surroundings: Surroundings): void {
  schedule
    .command('list')
    .description('list schedules')
    .argument('[queue]', 'only of this queue')
    .action((queue: string | undefined, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const schedules: Schedule[] = [];
        for await (const found of client.tasks.schedules(queue)) schedules.push(found);
        output.table(schedules, {
          schedule: (row) => row.scheduleId,
          when: (row) => whenText(row),
          type: (row) => row.type,
          paused: (row) => (row.paused ? 'yes' : ''),
          runs: (row) => row.runCount,
          'left out': (row) => row.skippedCount,
          'next run': (row) => clockText(row.nextRuns[0]),
        });
      }),
    );
  schedule
    .command('get')
    .description('show a schedule')
    .argument('<schedule>', 'like mail/nightly')
    .action((scheduleId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.tasks.getSchedule(scheduleId);
        output.thing(found, schedulePairs(found));
      }),
    );
  schedule
    .command('next')
    .description('show the next runs, ten at most')
    .argument('<schedule>')
    .action((scheduleId: string, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { nextRuns } = await client.tasks.getSchedule(scheduleId);
        for (const run of nextRuns) {
          if (output.json) output.object({ at: run });
          else output.line(clockText(run));
        }
      }),
    );
}

function addChangeCommands(schedule: Command, surroundings: Surroundings): void {
  const addChange = (name: string, description: string, change: (client: SluiceClient, scheduleId: string) => Promise<string | void>): void => {
    schedule
      .command(name)
      .description(description)
      .argument('<schedule>')
      .action((scheduleId: string, _options: unknown, command: Command) =>
        withClient(command, surroundings, async (client, output) => {
          const taskId = await change(client, scheduleId);
          output.thing({ scheduleId, taskId }, [
            ['schedule', scheduleId],
            ['task', taskId ?? undefined],
          ]);
        }),
      );
  };
  addChange('pause', 'no runs until it is resumed', (client, scheduleId) => client.tasks.pauseSchedule(scheduleId));
  addChange('resume', 'runs again from now on', (client, scheduleId) => client.tasks.resumeSchedule(scheduleId));
  addChange('run', 'submit its task now', (client, scheduleId) => client.tasks.runScheduleNow(scheduleId));
  addChange('delete', 'end it; tasks that it submitted stay', (client, scheduleId) => client.tasks.deleteSchedule(scheduleId));
}
