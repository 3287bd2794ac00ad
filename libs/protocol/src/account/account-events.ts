/** The events of accounts. Postings and transfers stay encoded: they are copied and scanned, and only people see them decoded. */
import { encodedForm, EventDefinition } from '../events/event-definition';
import { EventTable } from '../events/event-table';
import {
  AccountCommandRejected,
  AccountOpened,
  AccountStatusChanged,
  AccountUpdated,
  PostingsRecorded,
  TransfersRecorded,
  TransfersSettled,
} from '../generated/index.sluice.account.v1';

export const accountEvents = new EventTable('account', {
  AccountOpened: EventDefinition.first('sluice.account.v1.AccountOpened', AccountOpened),
  AccountUpdated: EventDefinition.first('sluice.account.v1.AccountUpdated', AccountUpdated),
  AccountStatusChanged: EventDefinition.first('sluice.account.v1.AccountStatusChanged', AccountStatusChanged),
  AccountCommandRejected: EventDefinition.first('sluice.account.v1.AccountCommandRejected', AccountCommandRejected),
  PostingsRecorded: EventDefinition.first('sluice.account.v1.PostingsRecorded', encodedForm(PostingsRecorded)),
  TransfersRecorded: EventDefinition.first('sluice.account.v1.TransfersRecorded', encodedForm(TransfersRecorded)),
  TransfersSettled: EventDefinition.first('sluice.account.v1.TransfersSettled', encodedForm(TransfersSettled)),
});
