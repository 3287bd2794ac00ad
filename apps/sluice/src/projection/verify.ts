/** `sluice verify`: is the read store what the log says? */
import type { SluiceClient, VerifyProgress } from '@sluice/client';
import type { Command } from 'commander';
import { type Surroundings, withClient } from '../connection';
import { EXIT, type ExitCode, PlainFailure } from '../exit-code';
import type { Output } from '../output';

export function addVerifyCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('verify')
    .description('fold the log and compare the result with the read store')
    .argument('[account]', 'only this account (default: everything)')
    .addHelpText('after', '\nExamples:\n  sluice verify\n  sluice verify wallet-1')
    .action((accountId: string | undefined, _options: unknown, command: Command) =>
      withClient(command, surroundings, (client, output) =>
        accountId === undefined ? verifyEverything(client, output, surroundings.interrupted) : verifyAccount(client, output, accountId),
      ),
    );
}

async function verifyAccount(client: SluiceClient, output: Output, accountId: string): Promise<ExitCode> {
  const result = await client.log.verifyAccount(accountId);
  output.thing(result, [
    ['account', accountId],
    ['verdict', result.equal ? 'log = read store' : 'log and read store differ'],
    ['balance', result.equal ? result.logBalanceMinor : `${result.logBalanceMinor} by the log, ${result.readBalanceMinor} in the read store`],
    ['entries', result.equal ? result.logEntryCount : `${result.logEntryCount} by the log, ${result.readEntryCount} in the read store`],
    ['sequence', result.sequence],
    ...result.differences.map((difference) => ['differs', difference] as const),
  ]);
  return result.equal ? EXIT.done : EXIT.refused;
}

async function verifyEverything(client: SluiceClient, output: Output, signal: AbortSignal): Promise<ExitCode> {
  const bar = output.progress('verifying', 0);
  let last: VerifyProgress | undefined;
  try {
    for await (const progress of client.projection.verifyAll({ signal })) {
      bar.total(Number(progress.totalCommits));
      bar.at(Number(progress.doneCommits));
      last = progress;
    }
  } finally {
    bar.end();
  }
  if (last?.finished !== true) throw new PlainFailure('the verification ended before it was finished', EXIT.unavailable);
  output.thing(last, [
    ['verdict', last.equal ? 'log = read store' : 'log and read store differ'],
    ['commits', last.doneCommits],
    ...last.compared.map(({ what, count }) => [what, count] as const),
    ...last.differences.map((difference) => ['differs', difference] as const),
    ['what to do', last.equal ? undefined : 'sluice rebuild'],
  ]);
  return last.equal ? EXIT.done : EXIT.refused;
}
