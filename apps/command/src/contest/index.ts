/** Contests, as the command service plugs them in. */
import { aggregateCapability } from '@sluice/engine';
import { contestpb } from '@sluice/protocol/contest';
import type { CommandCapability } from '../command-capability';
import { bulkCommandMethod } from '../methods/bulk-command-method';
import { commandMethod } from '../methods/command-method';
import { commandService } from '../methods/command-service';
import { contestAggregate } from './contest-aggregate';
import { scoreMessage } from './contest-messages';
import { ContestReconciler } from './contest-reconciler';

const { ContestCommandServiceService: service } = contestpb;
const NO_SCORE = { round: 0, roundPoints: 0n, totalPoints: 0n, sideRoundPoints: 0n, repeated: false };

export const commandCapability: CommandCapability = {
  name: 'contest',
  definitions: [service],
  create({ trouble }) {
    const reconciler = new ContestReconciler(trouble);
    const aggregate = contestAggregate((contestId, round) => reconciler.reconcile(contestId, round));
    const capability = aggregateCapability({ aggregates: [aggregate], trouble });
    return {
      capability,
      services(context) {
        reconciler.begin(context, capability);
        return [
          commandService('sluice.contest.v1.ContestCommandService', service, {
            createContest: commandMethod(context, capability, 'CreateContest', service.createContest),
            joinContest: commandMethod(context, capability, 'JoinContest', service.joinContest),
            startContest: commandMethod(context, capability, 'StartContest', service.startContest),
            score: commandMethod(context, capability, 'Score', service.score),
            scoreBatch: bulkCommandMethod<contestpb.ScoreBatchRequest, contestpb.ScoreBatchResponse, contestpb.ScoreRequest, contestpb.ScoreResult>(
              context,
              capability,
              'Score',
              service.scoreBatch,
              {
                field: 'scores',
                items: ({ scores }) => scores,
                withItems: (_request, scores) => ({ scores }),
                body: (score) => scoreMessage.bodyOf(score),
                accepted: (reply, repeated) => {
                  const { round, roundPoints, totalPoints, sideRoundPoints } = contestpb.ScoreResponse.decode(reply);
                  return { round, roundPoints, totalPoints, sideRoundPoints, repeated, error: undefined };
                },
                refused: (error) => ({ ...NO_SCORE, error }),
                response: (results, positionToken) => ({ results, positionToken }),
                resultsOf: (response) => response,
              },
            ),
            endRound: commandMethod(context, capability, 'EndRound', service.endRound),
            cancelContest: commandMethod(context, capability, 'CancelContest', service.cancelContest),
          }),
        ];
      },
    };
  },
};
