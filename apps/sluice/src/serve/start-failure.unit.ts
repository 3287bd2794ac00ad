/** Why a server did not start, in one line with what to do. */
import { tmpdir } from 'node:os';
import { MissingKeysError } from '@sluice/ports';
import { CorruptCommitError, UnknownCommitFormatError } from '@sluice/protocol';
import { InaccessibleDataFileError, NoRoomError } from '@sluice/store-sqlite';
import { startFailure } from './start-failure';

const wrapped = new Error('the projector ended', { cause: new Error('ENOSPC: no space left on device, write') });

test.each`
  error                                                               | exitCode | says
  ${new Error('database or disk is full')}                            | ${78}    | ${/^no room is left on the disk of \/data: make room, then start again$/}
  ${wrapped}                                                          | ${78}    | ${/^no room is left on the disk of \/data/}
  ${new NoRoomError('/data', 'the disk is full')}                     | ${78}    | ${/^there is no room for 4 MiB in \/data \(the disk is full\): make room, then start again\. Nothing was changed$/}
  ${new InaccessibleDataFileError('/data/log.db', 'is …', 'chmod …')} | ${78}    | ${/^\/data\/log\.db is …: chmod …\. Nothing was changed$/}
  ${new MissingKeysError(3, [0, 2])}                                  | ${78}    | ${/lacks the signing keys of 3 accounts \(partitions 0, 2\).*keyring\.db/}
  ${new UnknownCommitFormatError(1, 7, 9)}                            | ${78}    | ${/newer version of Sluice: partition 1, sequence 7.*Start a version that knows it/}
  ${new CorruptCommitError(1, 7, 'the commit was changed')}           | ${5}     | ${/damaged: partition 1, sequence 7: .*--drop-from 1:7/}
`('$error.message: $exitCode', ({ error, exitCode, says }: { error: unknown; exitCode: number; says: RegExp }) => {
  expect(startFailure(error, '/data')).toMatchObject({ exitCode, message: expect.stringMatching(says) as string });
});

test.each(['something else', 'disk I/O error'])('what nobody foresaw comes back as it is: %s, while there is room', (message) => {
  const unforeseen = new Error(message);
  expect(startFailure(unforeseen, tmpdir())).toBe(unforeseen);
});
