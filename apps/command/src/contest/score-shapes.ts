/** How the messages of ScoreBatch and ScoreStream hold scores and their results. */
import { contestpb } from '@sluice/protocol/contest';
import type { BulkShape } from '../methods/bulk-command-method';
import type { StreamShape } from '../methods/bulk-stream-method';
import { scoreMessage } from './contest-messages';

const NO_SCORE = { round: 0, roundPoints: 0n, totalPoints: 0n, sideRoundPoints: 0n, repeated: false };

export const scoreBatchShape: BulkShape<contestpb.ScoreBatchRequest, contestpb.ScoreBatchResponse, contestpb.ScoreRequest, contestpb.ScoreResult> = {
  field: 'scores',
  items: ({ scores }) => scores,
  withItems: (scores) => ({ scores }),
  body: (score) => scoreMessage.bodyOf(score),
  accepted: (reply, repeated) => {
    const { round, roundPoints, totalPoints, sideRoundPoints } = contestpb.ScoreResponse.decode(reply);
    return { round, roundPoints, totalPoints, sideRoundPoints, repeated, error: undefined };
  },
  refused: (error) => ({ ...NO_SCORE, error }),
  response: (results, positionToken) => ({ results, positionToken }),
  resultsOf: (response) => response,
};

export const scoreStreamShape: StreamShape<contestpb.ScoreStreamRequest, contestpb.ScoreStreamResponse, contestpb.ScoreRequest, contestpb.ScoreResult> = {
  field: 'score',
  item: ({ score }) => score ?? contestpb.ScoreRequest.fromPartial({}),
  answer: ({ requestId, contestId }, result, positionToken) => ({ requestId, contestId, result, positionToken }),
};
