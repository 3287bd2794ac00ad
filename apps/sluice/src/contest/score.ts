/** `sluice contest score` */
import type { Command } from 'commander';
import { timeUs, wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { againText } from '../output';

interface ScoreOptions {
  readonly scoredAt?: number;
  readonly requestId?: string;
}

export function addScoreCommand(contest: Command, surroundings: Surroundings): void {
  contest
    .command('score')
    .description('record a score of a member in the round that runs')
    .argument('<contest>')
    .argument('<account>', 'the member')
    .argument('<points>', 'a whole number', wholeNumber)
    .option('--scored-at <time>', 'when it was scored (ISO 8601); the operator LATEST demands it', timeUs)
    .option('--request-id <id>', 'id of this score; made when not given')
    .addHelpText('after', '\nExample:\n  sluice contest score cup ada 5')
    .action((contestId: string, accountId: string, points: number, { scoredAt, requestId }: ScoreOptions, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const recorded = await client.contests.score({ contestId, accountId, points, scoredAt, requestId });
        output.thing(recorded, [
          ['contest', contestId],
          ['account', accountId],
          ['round', recorded.round],
          ['points in the round', recorded.roundPoints],
          ['points in all', recorded.totalPoints],
          ['side in the round', recorded.sideRoundPoints],
          ['request id', recorded.requestId],
          againText(recorded),
        ]);
      }),
    );
}
