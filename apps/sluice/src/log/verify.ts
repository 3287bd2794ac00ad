/** `sluice log verify`: the checksum chain of the whole log, from the files; with or without a server at work on them. */
import type { Command } from 'commander';
import { chosenFolder, openLogForReading } from '../data-folder';
import type { Surroundings } from '../connection';
import { EXIT } from '../exit-code';
import { Output } from '../output';
import { type ChainVerdict, repairAdvice, verifyChain } from './chain';

export function addLogVerifyCommand(log: Command, surroundings: Surroundings): void {
  log
    .command('verify')
    .description('check the checksum chain of the whole log in a data folder')
    .option('--data <folder>', 'data folder (SLUICE_DATA_DIR; default .sluice)')
    .addHelpText('after', '\nReads files, needs no server, disturbs none.\n\nExamples:\n  sluice log verify\n  sluice log verify --data /backup/sluice')
    .action(async (options: { readonly data?: string }, command: Command) => {
      const output = new Output(surroundings.terminal, command.optsWithGlobals<{ readonly json?: boolean }>().json === true);
      const files = chosenFolder(options.data, surroundings.environment);
      const eventLog = await openLogForReading(files);
      try {
        const heads = await eventLog.headSequences();
        const bar = output.progress(
          'verifying',
          heads.reduce((sum, head) => sum + head, 0),
        );
        const verdicts: ChainVerdict[] = [];
        for (const [partition] of heads.entries()) {
          const before = verdicts.reduce((sum, verdict) => sum + verdict.commits, 0);
          verdicts.push(await verifyChain(eventLog, partition, (commits) => bar.at(before + commits)));
        }
        bar.end();
        show(output, verdicts, eventLog.identity.incarnation);
        surroundings.exit(verdicts.some(({ corrupt }) => corrupt !== undefined) ? EXIT.refused : EXIT.done);
      } finally {
        await eventLog.close();
      }
    });
}

function show(output: Output, verdicts: readonly ChainVerdict[], incarnation: string): void {
  if (output.json) {
    for (const { corrupt, ...verdict } of verdicts) output.object({ ...verdict, incarnation, corrupt: corrupt?.message ?? null });
    return;
  }
  output.table(verdicts, {
    partition: ({ partition }) => partition,
    commits: ({ commits }) => commits,
    bytes: ({ bytes }) => bytes,
    head: ({ checksum }) => checksum.slice(0, 16),
    verdict: ({ corrupt }) => (corrupt === undefined ? 'whole' : 'DAMAGED'),
  });
  for (const { corrupt } of verdicts) {
    if (corrupt === undefined) continue;
    output.line(corrupt.message);
    output.line(repairAdvice(corrupt));
  }
}
