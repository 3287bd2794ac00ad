/** The events of accounts. */
import { encodedForm, EventDefinition } from '../events/event-definition';
import { EventTable } from '../events/event-table';
import {
  AccountCommandRejected,
  AccountOpened,
  AccountsRolled,
  AccountStatusChanged,
  AccountUpdated,
  BranchDaySealed,
  BranchDaySet,
  BranchDayTotalled,
  InterestAccrued,
  PostingsRecorded,
  TermBegun,
  TermEnded,
  TransfersRecorded,
  TransfersSettled,
} from '../generated/index.sluice.account.v1';

const ACCOUNT_CHANGES = {
  AccountOpened: EventDefinition.first('sluice.account.v1.AccountOpened', AccountOpened),
  AccountUpdated: EventDefinition.first('sluice.account.v1.AccountUpdated', AccountUpdated),
  AccountStatusChanged: EventDefinition.first('sluice.account.v1.AccountStatusChanged', AccountStatusChanged),
  AccountCommandRejected: EventDefinition.first('sluice.account.v1.AccountCommandRejected', AccountCommandRejected),
  BranchDaySet: EventDefinition.first('sluice.account.v1.BranchDaySet', BranchDaySet),
  BranchDaySealed: EventDefinition.first('sluice.account.v1.BranchDaySealed', BranchDaySealed),
  AccountsRolled: EventDefinition.first('sluice.account.v1.AccountsRolled', AccountsRolled),
  InterestAccrued: EventDefinition.first('sluice.account.v1.InterestAccrued', InterestAccrued),
  TermBegun: EventDefinition.first('sluice.account.v1.TermBegun', TermBegun),
  TermEnded: EventDefinition.first('sluice.account.v1.TermEnded', TermEnded),
  BranchDayTotalled: EventDefinition.first('sluice.account.v1.BranchDayTotalled', BranchDayTotalled),
};

/** Postings and transfers stay encoded: they are copied and scanned, and only people see them decoded. */
export const accountEvents = new EventTable('account', {
  ...ACCOUNT_CHANGES,
  PostingsRecorded: EventDefinition.first('sluice.account.v1.PostingsRecorded', encodedForm(PostingsRecorded)),
  TransfersRecorded: EventDefinition.first('sluice.account.v1.TransfersRecorded', encodedForm(TransfersRecorded)),
  TransfersSettled: EventDefinition.first('sluice.account.v1.TransfersSettled', encodedForm(TransfersSettled)),
});

/** The same events, all decoded by the generated codec: for the verification, which trusts no reader that is written by hand. */
export const decodedAccountEvents = new EventTable('account', {
  ...ACCOUNT_CHANGES,
  PostingsRecorded: EventDefinition.first('sluice.account.v1.PostingsRecorded', PostingsRecorded),
  TransfersRecorded: EventDefinition.first('sluice.account.v1.TransfersRecorded', TransfersRecorded),
  TransfersSettled: EventDefinition.first('sluice.account.v1.TransfersSettled', TransfersSettled),
});
