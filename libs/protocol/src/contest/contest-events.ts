/** The events of contests. */
import { encodedForm, EventDefinition } from '../events/event-definition';
import { EventTable } from '../events/event-table';
import {
  ContestCancelled,
  ContestCreated,
  FundAsked,
  FundHeld,
  FundRefused,
  FundSettled,
  MembersJoined,
  RewardsOwed,
  RewardsSettled,
  RoundEnded,
  RoundReconciled,
  RoundReconciledV2,
  RoundStarted,
  ScoreRefused,
  ScoresRecorded,
  ScoreSubmitted,
  WinnersNamed,
} from '../generated/index.sluice.contest.v1';

const definitions = {
  ContestCreated: EventDefinition.first('sluice.contest.v1.ContestCreated', ContestCreated),
  MembersJoined: EventDefinition.first('sluice.contest.v1.MembersJoined', MembersJoined),
  RoundStarted: EventDefinition.first('sluice.contest.v1.RoundStarted', RoundStarted),
  ScoresRecorded: EventDefinition.first('sluice.contest.v1.ScoresRecorded', ScoresRecorded),
  RoundEnded: EventDefinition.first('sluice.contest.v1.RoundEnded', RoundEnded),
  RoundReconciled: EventDefinition.first('sluice.contest.v1.RoundReconciled', RoundReconciled).next(
    'sluice.contest.v1.RoundReconciledV2',
    RoundReconciledV2,
    (event) => ({ ...event, logSideTotals: [], read: undefined, notCompared: 'The version that recorded it did not ask the read store.' }),
  ),
  WinnersNamed: EventDefinition.first('sluice.contest.v1.WinnersNamed', WinnersNamed),
  ScoreSubmitted: EventDefinition.first('sluice.contest.v1.ScoreSubmitted', ScoreSubmitted),
  ScoreRefused: EventDefinition.first('sluice.contest.v1.ScoreRefused', ScoreRefused),
  ContestCancelled: EventDefinition.first('sluice.contest.v1.ContestCancelled', ContestCancelled),
  FundAsked: EventDefinition.first('sluice.contest.v1.FundAsked', FundAsked),
  FundHeld: EventDefinition.first('sluice.contest.v1.FundHeld', FundHeld),
  FundRefused: EventDefinition.first('sluice.contest.v1.FundRefused', FundRefused),
  RewardsOwed: EventDefinition.first('sluice.contest.v1.RewardsOwed', RewardsOwed),
  RewardsSettled: EventDefinition.first('sluice.contest.v1.RewardsSettled', RewardsSettled),
  FundSettled: EventDefinition.first('sluice.contest.v1.FundSettled', FundSettled),
};

export const contestEvents = new EventTable('contest', definitions);

/** The same events for the sums of a round, and for the read store: scores are read by hand (recorded-scores.ts). */
export const summedContestEvents = new EventTable('contest', {
  ...definitions,
  ScoresRecorded: EventDefinition.first('sluice.contest.v1.ScoresRecorded', encodedForm(ScoresRecorded)),
});
