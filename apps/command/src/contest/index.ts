/** Contests, as the command service plugs them in. */
import { aggregateCapability } from '@sluice/engine';
import { collectionsOf } from '@sluice/projections';
import { CONTEST_PROJECTION, CONTESTS } from '@sluice/projections/contest';
import { contestpb } from '@sluice/protocol/contest';
import type { CommandCapability } from '../command-capability';
import { bulkStreamMethod } from '../methods/bulk-stream-method';
import { commandMethod } from '../methods/command-method';
import { commandService } from '../methods/command-service';
import { contestAggregate, scoreTasks } from './contest-aggregate';
import { ContestReconciler } from './contest-reconciler';
import { giftBatchMethod, giftMethod } from './gifts';
import { ReadTotalsOfContests } from './read-totals';
import { scoreBatchMethod } from './score-batch-method';
import { scoreBatchShape, scoreStreamShape } from './score-shapes';

const { ContestCommandServiceService: service } = contestpb;

export const commandCapability: CommandCapability = {
  name: 'contest',
  definitions: [service],
  changeTasks: [scoreTasks],
  readCollections: collectionsOf({ ...CONTEST_PROJECTION, collections: [CONTESTS] }),
  create({ clock, readStore, metrics, trouble }) {
    const reconciler = new ContestReconciler(new ReadTotalsOfContests(readStore, clock), metrics, trouble);
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
            scoreBatch: scoreBatchMethod(context),
            scoreStream: bulkStreamMethod(
              context,
              capability,
              'Score',
              { definition: service.scoreBatch, shape: scoreBatchShape },
              service.scoreStream,
              scoreStreamShape,
            ),
            gift: giftMethod(context, service.gift),
            giftBatch: giftBatchMethod(context, service.giftBatch),
            submitScore: commandMethod(context, capability, 'SubmitScore', service.submitScore),
            endRound: commandMethod(context, capability, 'EndRound', service.endRound),
            cancelContest: commandMethod(context, capability, 'CancelContest', service.cancelContest),
          }),
        ];
      },
    };
  },
};
