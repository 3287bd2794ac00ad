/** `sluice verify`: is the read store what the log says? */
import type { SluiceClient, VerifiedAggregate, VerifyProgress } from '@sluice/client';
import type { Command } from 'commander';
import { type Surroundings, withClient } from '../connection';
import { EXIT, type ExitCode, PlainFailure } from '../exit-code';
import type { Output } from '../output';

export function addVerifyCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('verify')
    .description('fold the log and compare the result with the read store')
    .argument('[capability]', 'only one aggregate, of this capability (default: everything); without a key: only this account')
    .argument('[key]', 'key of the aggregate')
    .option('--kind <kind>', 'kind of the aggregate, where the capability has several')
    .addHelpText('after', '\nExamples:\n  sluice verify\n  sluice verify wallet-1\n  sluice verify task mails/17')
    .action((first: string | undefined, key: string | undefined, { kind }: { readonly kind?: string }, command: Command) =>
      withClient(command, surroundings, (client, output) => {
        if (first === undefined) return verifyEverything(client, output, surroundings.interrupted);
        return key === undefined ? verifyAccount(client, output, first) : verifyAggregate(client, output, { capability: first, key, aggregate: kind });
      }),
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

async function verifyAggregate(client: SluiceClient, output: Output, aggregate: VerifiedAggregate): Promise<ExitCode> {
  const result = await client.log.verifyAggregate(aggregate);
  output.thing(result, [
    [aggregate.aggregate ?? aggregate.capability, aggregate.key],
    ['verdict', result.equal ? 'log = read store' : 'log and read store differ'],
    ...result.figures.map(({ name, log, read }) => [name, log === read ? log : `${log} by the log, ${read} in the read store`] as const),
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
