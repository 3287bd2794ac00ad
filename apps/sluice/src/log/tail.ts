/** `sluice log tail` */
import type { EventView } from '@sluice/client';
import type { Command } from 'commander';
import { sequenceNumber, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { UsageError } from '../exit-code';
import { timeText } from '../output';

interface TailOptions {
  readonly partition?: number;
  readonly from?: bigint;
  readonly headers?: boolean;
  readonly count?: number;
}

export function addTailCommand(log: Command, surroundings: Surroundings): void {
  log
    .command('tail')
    .description('show commits as they come, until Ctrl-C')
    .option('--partition <partition>', 'only this partition (default: all)', wholeNumber)
    .option('--from <sequence>', 'with --partition: from this sequence on (default: what comes from now on)', sequenceNumber)
    .option('--headers', 'without the events')
    .option('--count <count>', 'stop after so many', wholeNumber)
    .addHelpText('after', '\nExamples:\n  sluice log tail\n  sluice log tail --partition 2 --from 1 --count 10 --json')
    .action((options: TailOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { partition, from: fromSequence, headers: headersOnly, count } = options;
        if (fromSequence !== undefined && partition === undefined) throw new UsageError('--from counts in one partition: say --partition too');
        let shown = 0;
        for await (const commit of client.log.tail({ partition, fromSequence, headersOnly, signal: surroundings.interrupted })) {
          if (output.json) output.object(commit);
          else {
            output.line(
              `${timeText(commit.committedAtUs)}  partition ${commit.partition}  sequence ${commit.sequence}  epoch ${commit.epoch}  ${commit.sizeBytes} bytes  ${commit.checksum.slice(0, 12)}`,
            );
            for (const one of commit.events) output.line(`    ${eventText(one)}`);
          }
          shown += 1;
          if (shown === count) return;
        }
      }),
    );
}

/** A server may be newer than this program: then only its name and version can be shown. */
function eventText({ type, version, event }: EventView): string {
  return event === undefined ? `${type} version ${version} is not known to this version of sluice` : `${type} ${JSON.stringify(event)}`;
}
