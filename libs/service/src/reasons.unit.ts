import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { accountpb } from '@sluice/protocol/account';
import { codeOfReason, isReason, type Reason, REASONS } from './reasons';
import { errorInfoOf, refusal, SluiceError, statusOf } from './sluice-error';

const DOCUMENT = join(__dirname, '..', '..', '..', 'docs', 'errors.md');

test('docs/errors.md is this registry, row by row', () => {
  const rows = readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const expected = Object.entries(REASONS).map(([reason, { code, when, advice }]) => `| \`${reason}\` | ${status[code]} | ${when} | ${advice} |`);
  expect(rows).toEqual(expected);
});

test('every rejection of the protos is a reason', () => {
  const rejections = Object.keys(accountpb.Rejection)
    .filter((name) => name.startsWith('REJECTION_') && name !== 'REJECTION_UNSPECIFIED')
    .map((name) => name.slice('REJECTION_'.length));
  expect(rejections.length).toBeGreaterThan(10);
  expect(rejections.filter((name) => !isReason(name))).toEqual([]);
});

test.each`
  reason                     | code
  ${'ACCOUNT_EXISTS'}        | ${'ALREADY_EXISTS'}
  ${'ACCOUNT_NOT_FOUND'}     | ${'NOT_FOUND'}
  ${'AMOUNT_NOT_POSITIVE'}   | ${'INVALID_ARGUMENT'}
  ${'AMOUNT_OVERFLOW'}       | ${'OUT_OF_RANGE'}
  ${'BATCH_ABORTED'}         | ${'ABORTED'}
  ${'INSUFFICIENT_FUNDS'}    | ${'FAILED_PRECONDITION'}
  ${'NOT_AUTHENTICATED'}     | ${'UNAUTHENTICATED'}
  ${'PARTITION_UNAVAILABLE'} | ${'UNAVAILABLE'}
  ${'QUEUE_FULL'}            | ${'RESOURCE_EXHAUSTED'}
  ${'REQUEST_ID_REUSED'}     | ${'ALREADY_EXISTS'}
  ${'SIGNATURE_INVALID'}     | ${'PERMISSION_DENIED'}
`('$reason has code $code for ever', ({ reason, code }: { reason: Reason; code: string }) => {
  expect(status[codeOfReason(reason)]).toBe(code);
});

test('what is inherited is no reason', () => {
  expect(isReason('toString')).toBe(false);
  expect(isReason('INTERNAL')).toBe(true);
});

test('an error with the wrong code for its reason is a programmer error', () => {
  expect(() => new SluiceError(status.NOT_FOUND, 'ACCOUNT_EXISTS', 'text')).toThrow('ACCOUNT_EXISTS has code ALREADY_EXISTS, not NOT_FOUND');
});

test('reason and metadata come back from the wire; long texts are cut', () => {
  const sent = statusOf(refusal('RATE_LIMITED', 'x'.repeat(5_000), { retry_after_ms: '40', asked: 'y'.repeat(5_000) }));
  expect(sent.details).toHaveLength(1_024);
  expect(errorInfoOf(sent)).toEqual({ reason: 'RATE_LIMITED', metadata: { retry_after_ms: '40', asked: `${'y'.repeat(1_023)}…` } });
  expect(errorInfoOf({})).toBeUndefined();
});
