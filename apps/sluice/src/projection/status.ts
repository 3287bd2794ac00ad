/** `sluice status`: where the projection of each partition stands. */
import type { PartitionStatus } from '@sluice/client';
import type { Command } from 'commander';
import { type Surroundings, withClient } from '../connection';

export function addStatusCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('status')
    .description('show where the projection of each partition stands')
    .addHelpText('after', '\nExample:\n  sluice status')
    .action((_options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const status = await client.projection.status();
        if (output.json) {
          output.object(status);
          return;
        }
        output.line(`log ${status.incarnation}, copy in force ${status.copy}, ${status.projectedPostings} postings projected since the start`);
        output.table<PartitionStatus>(status.partitions, {
          partition: (row) => row.partition,
          'in the log': (row) => row.headSequence,
          'in the read store': (row) => row.checkpoint,
          'lag ms': (row) => Number(row.lagUs) / 1_000,
        });
        for (const { partition, blocked } of status.partitions)
          if (blocked !== undefined) output.line(`partition ${partition} is not projected: ${blocked.error}`);
        for (const { partition, filling } of status.partitions)
          for (const { projection, sequence } of filling) output.line(`partition ${partition}: ${projection} is being filled, up to sequence ${sequence}`);
        for (const aside of status.setAside)
          output.line(`set aside: ${aside.aggregate} ${aside.key} (partition ${aside.partition}, sequence ${aside.sequence}): ${aside.error}`);
      }),
    );
}
