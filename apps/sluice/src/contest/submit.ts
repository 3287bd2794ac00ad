/** `sluice contest submit` */
import type { Command } from 'commander';
import { timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { againText } from '../output';

interface SubmitOptions {
  readonly scoredAt?: number;
  readonly requestId?: string;
}

export function addSubmitCommand(contest: Command, surroundings: Surroundings): void {
  contest
    .command('submit')
    .description('take a score of a member, to be recorded later by a change task')
    .argument('<contest>')
    .argument('<account>', 'the member')
    .argument('<points>', 'a whole number', wholeNumber)
    .option('--scored-at <time>', 'when it was scored (ISO 8601); the operator LATEST demands it', timeUs)
    .option('--request-id <id>', 'id of this score; made when not given')
    .addHelpText('after', '\n"sluice contest unfinished" lists the task until its score is recorded or refused.\n\nExample:\n  sluice contest submit cup ada 5')
    .action((contestId: string, accountId: string, points: number, { scoredAt, requestId }: SubmitOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const submission = await client.contests.submitScore({ contestId, accountId, points, scoredAt, requestId });
        output.thing(submission, [
          ['contest', contestId],
          ['account', accountId],
          ['task', submission.taskId],
          ['request id', submission.requestId],
          againText(submission),
        ]);
      }),
    );
}
