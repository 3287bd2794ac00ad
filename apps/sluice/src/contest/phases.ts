/** `sluice contest join | start | end | cancel` */
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { againText } from '../output';

interface Requested {
  readonly requestId?: string;
}

export function addPhaseCommands(contest: Command, surroundings: Surroundings): void {
  contest
    .command('join')
    .description('add members to a side, all of them or none')
    .argument('<contest>')
    .argument('<side>')
    .argument('<accounts...>')
    .option('--request-id <id>', 'id of this request; made when not given')
    .addHelpText('after', '\nExample:\n  sluice contest join cup blue linus margaret')
    .action((contestId: string, sideId: string, accountIds: string[], { requestId }: Requested, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const joined = await client.contests.join(contestId, sideId, accountIds, requestId);
        output.thing({ contestId, sideId, ...joined }, [['contest', contestId], ['side', sideId], ['members', joined.memberCount], againText(joined)]);
      }),
    );
  contest
    .command('start')
    .description('start the first round')
    .argument('<contest>')
    .option('--request-id <id>', 'id of this request; made when not given')
    .addHelpText('after', '\nExample:\n  sluice contest start cup')
    .action((contestId: string, { requestId }: Requested, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const started = await client.contests.start(contestId, requestId);
        const ends = started.phase === 'STARTING' ? undefined : (started.roundEndsAt?.toISOString() ?? 'when it is ended');
        output.thing({ contestId, ...started }, [['contest', contestId], ['phase', started.phase], ['round ends', ends], againText(started)]);
      }),
    );
  contest
    .command('end')
    .description('end the round that runs, also before its time')
    .argument('<contest>')
    .argument('[round]', 'its number, so that a late request ends no later round; default: the one that runs', wholeNumber)
    .option('--request-id <id>', 'id of this request; made when not given')
    .addHelpText('after', '\nExamples:\n  sluice contest end cup\n  sluice contest end cup 2')
    .action((contestId: string, asked: number | undefined, { requestId }: Requested, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const round = asked ?? Math.max(1, (await client.contests.get(contestId)).round);
        const ended = await client.contests.endRound(contestId, round, requestId);
        const points = ended.sides.map((side) => [side.sideId, side.points] as const);
        output.thing({ contestId, round, ...ended }, [['contest', contestId], ['round', round], ...points, againText(ended)]);
      }),
    );
  contest
    .command('cancel')
    .description('give the contest up: it names no winners')
    .argument('<contest>')
    .option('--note <text>', 'why, for people')
    .option('--request-id <id>', 'id of this request; made when not given')
    .addHelpText('after', '\nExample:\n  sluice contest cancel cup --note rain')
    .action((contestId: string, options: Requested & { readonly note?: string }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        await client.contests.cancel(contestId, options);
        output.thing({ contestId, phase: 'CANCELLED' }, [
          ['contest', contestId],
          ['phase', 'CANCELLED'],
        ]);
      }),
    );
}
