/** `sluice worker run` */
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';

interface WorkerRunOptions {
  readonly queue: readonly string[];
  readonly capacity: number;
  readonly id?: string;
}

const DEFAULT_CAPACITY = 10;

export function addWorkerCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('worker')
    .description('run tasks')
    .command('run')
    .description('run the tasks of queues with the handlers of a module, until Ctrl-C')
    .argument('<module>', 'exports its handlers by type: export const handlers = { … }')
    .requiredOption('--queue <queue>', 'may be repeated', (name: string, others: readonly string[] = []) => [...others, name])
    .option('--capacity <count>', 'tasks under way at most', wholeNumber, DEFAULT_CAPACITY)
    .option('--id <id>', 'names the worker in attempts')
    .addHelpText('after', '\nExample:\n  sluice worker run ./handlers.mjs --queue mail --capacity 4')
    .action((module: string, { queue: queues, capacity, id: workerId }: WorkerRunOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const onTrouble = (what: string, error: unknown): void => output.message(`${what}: ${error instanceof Error ? error.message : String(error)}`);
        const worker = client.tasks.worker({ queues, capacity, onTrouble, ...(workerId === undefined ? undefined : { workerId }) });
        await worker.handleModule(module).begin();
        output.message(`worker ${worker.workerId} takes tasks of ${queues.join(', ')}; Ctrl-C ends it when what runs has ended`);
        if (!surroundings.interrupted.aborted) {
          await new Promise<void>((resolve) => surroundings.interrupted.addEventListener('abort', () => resolve(), { once: true }));
        }
        await worker.drain();
        output.thing(worker.tally, Object.entries(worker.tally));
      }),
    );
}
