import { CommitWriter, NO_CHECKSUM, readCommit } from '@sluice/protocol';
import { accountEvents, accountpb } from '@sluice/protocol/account';
import { commitView } from './commit-view';

test('an event is named by its message; one that is not known by its type and version alone', () => {
  const writer = new CommitWriter();
  writer.begin({ incarnation: Buffer.alloc(16), partition: 0, sequence: 1, epoch: 1, committedAtUs: 1, previousChecksum: NO_CHECKSUM }, []);
  const opened = accountEvents.record('AccountOpened', accountpb.AccountOpened.fromPartial({ accountId: 'alice' }));
  writer.event(opened.type, opened.version, opened.payload);
  writer.event('account.AccountOpened', 99, Buffer.from('from tomorrow'));
  writer.event('window.Broken', 1, Buffer.from('of another program'));
  const { events } = commitView(readCommit(writer.finish()), false);
  expect(events).toEqual([
    {
      type: 'account.AccountOpened',
      version: 1,
      event: { typeUrl: 'type.googleapis.com/sluice.account.v1.AccountOpened', value: Buffer.from(opened.payload) },
    },
    { type: 'account.AccountOpened', version: 99, event: undefined },
    { type: 'window.Broken', version: 1, event: undefined },
  ]);
});
