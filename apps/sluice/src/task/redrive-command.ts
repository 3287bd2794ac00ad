/**
 * `sluice task redrive`: submits the dead tasks of a queue again. The id of each request is made of the task's id, so a second run
 * submits nothing twice.
 */
import { SluiceError, type Task } from '@sluice/client';
import type { Command } from 'commander';
import { pair, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { EXIT } from '../exit-code';
import { firstOf, pageOf } from '../listing';
import { oneLabel } from './task-view';

/** All: a task stays failed when it is redriven, so that a limit takes the same ones again and again. */
const DEFAULT_REDRIVEN = 0;
/** Requests under way at once. */
const REQUESTS_AT_ONCE = 64;

interface RedriveOptions {
  readonly type?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly limit: number;
}

interface Redriven {
  readonly taskId: string;
  /** The new task; empty: the retry was refused. */
  readonly retriedAs: string;
  readonly repeated: boolean;
  /** Why the retry was refused; empty: it was not. */
  readonly reason: string;
}

export function addRedriveCommand(task: Command, surroundings: Surroundings): void {
  task
    .command('redrive')
    .description('submit the failed tasks of a queue again, the oldest first; what was redriven before stays as it is')
    .argument('<queue>')
    .option('--type <type>', 'only this type')
    .option('--label <name=value>', 'only with this label', pair)
    .option('--limit <count>', 'only so many, the oldest: a second run takes the same ones again; 0: all', wholeNumber, DEFAULT_REDRIVEN)
    .addHelpText('after', '\nExample:\n  sluice task redrive mail --type welcome')
    .action((queue: string, options: RedriveOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const filter = { queue, state: 'FAILED', type: options.type, label: oneLabel(options.label) } as const;
        const dead = await firstOf(options.limit, client.tasks.list(filter, pageOf(options.limit)));
        const redriven = await inTurn(dead, (one) => redrive(one, (requestId) => client.tasks.retry(one.taskId, requestId)));
        output.table(redriven, {
          task: (row) => row.taskId,
          'submitted as': (row) => row.retriedAs,
          repeated: (row) => (row.repeated ? 'yes' : ''),
          refused: (row) => row.reason,
        });
        return redriven.some(({ reason }) => reason !== '') ? EXIT.refused : EXIT.done;
      }),
    );
}

async function redrive({ taskId }: Task, retry: (requestId: string) => Promise<{ readonly taskId: string; readonly repeated: boolean }>): Promise<Redriven> {
  try {
    const { taskId: retriedAs, repeated } = await retry(`redrive ${taskId}`);
    return { taskId, retriedAs, repeated, reason: '' };
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'FAILED_PRECONDITION') throw error;
    return { taskId, retriedAs: '', repeated: false, reason: error.reason };
  }
}

/** Several at once; the outcomes come in the order of the items. */
async function inTurn<Item, Outcome>(items: readonly Item[], run: (item: Item) => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let from = 0; from < items.length; from += REQUESTS_AT_ONCE) outcomes.push(...(await Promise.all(items.slice(from, from + REQUESTS_AT_ONCE).map(run))));
  return outcomes;
}
