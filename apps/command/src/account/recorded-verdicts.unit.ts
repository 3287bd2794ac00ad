import { CommitWriter, NO_CHECKSUM, readCommit, UnknownEventError, type DecodedCommit } from '@sluice/protocol';
import { accountEvents, accountpb } from '@sluice/protocol/account';
import { verdictIn } from '../test/verdict-in';

const OPENED = accountEvents.record('AccountOpened', accountpb.AccountOpened.fromPartial({ accountId: 'alice', requestId: 'open', signingKeyId: 'k' }));

function commitWith(type: string, version: number): DecodedCommit {
  const writer = new CommitWriter();
  writer.begin({ incarnation: Buffer.alloc(16), partition: 2, sequence: 9, epoch: 1, committedAtUs: 1, previousChecksum: NO_CHECKSUM }, []);
  writer.event('log.OwnershipTaken', 1, new Uint8Array(0));
  writer.event(type, version, OPENED.payload);
  return readCommit(writer.finish());
}

test('a repeat is answered from the event that it is in', () => {
  expect(verdictIn(commitWith(OPENED.type, OPENED.version), 'alice', 'open')).toMatchObject({ kind: 'command', version: 1, signingKeyId: 'k' });
});

test.each`
  type                       | version
  ${'account.AccountOpened'} | ${2}
  ${'account.AccountSold'}   | ${1}
`('no repeat is answered from an event that is not known ($type, version $version)', ({ type, version }: { type: string; version: number }) => {
  expect(() => verdictIn(commitWith(type, version), 'alice', 'open')).toThrow(new UnknownEventError(2, 9, type, version));
});
