/** Whatever comes over the wire: a code, a reason, and the server goes on serving others. */
import { connect } from 'node:net';
import { accountpb } from '@sluice/protocol/account';
import { Calls, credit, refusalOf } from './harness/calls';
import { dataFolder, Server } from './harness/server';

const INT64_MAX = (1n << 63n) - 1n;
const folder = dataFolder();
let server: Server;
let calls: Calls;
let count = 0;

beforeAll(async () => {
  server = await Server.start(folder.path);
  calls = new Calls(server.address);
  await calls.open({ accountId: 'good' });
  await calls.open({ accountId: 'others' });
  await calls.open({ accountId: 'full' });
  await calls.open({ accountId: 'signed', signingKey: Buffer.alloc(16, 1) });
  await calls.post(credit('good', 'used', 1n));
  await calls.post(credit('full', 'fill', INT64_MAX));
});

afterAll(async () => {
  calls.close();
  await server.end('SIGKILL');
  folder.remove();
});

/** Somebody else, on a connection of their own, is served. */
afterEach(async () => {
  const others = new Calls(server.address);
  count += 1;
  expect((await others.post(credit('others', `r${count}`, 1n))).result).toMatchObject({ balanceAfterMinor: BigInt(count), repeated: false });
  others.close();
  expect(server.running).toBe(true);
});

const DEBIT = { type: accountpb.PostingType.POSTING_TYPE_DEBIT };

test.each`
  what                     | posting                                                              | refusal
  ${'no request id'}       | ${credit('good', '', 1n)}                                            | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'a long request id'}   | ${credit('good', 'x'.repeat(129), 1n)}                               | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'no account id'}       | ${credit('', 'r', 1n)}                                               | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'a long account id'}   | ${credit('x'.repeat(129), 'r', 1n)}                                  | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'a long counterparty'} | ${credit('good', 'r', 1n, { counterparty: 'x'.repeat(129) })}        | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'much metadata'}       | ${credit('good', 'r', 1n, { metadata: { key: 'x'.repeat(1_100) } })} | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'a field of 20 KiB'}   | ${credit('good', 'r', 1n, { counterparty: 'x'.repeat(20_480) })}     | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'a date that is none'} | ${credit('good', 'r', 1n, { initiatedDate: '2026-02-30' })}          | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'a hold id'}           | ${credit('good', 'r', 1n, { holdId: 'h' })}                          | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'final'}               | ${credit('good', 'r', 1n, { final: true })}                          | ${'INVALID_ARGUMENT INVALID_REQUEST'}
  ${'no type'}             | ${credit('good', 'r', 1n, { type: 0 })}                              | ${'INVALID_ARGUMENT POSTING_TYPE_UNKNOWN'}
  ${'an unknown type'}     | ${credit('good', 'r', 1n, { type: 99 as accountpb.PostingType })}    | ${'INVALID_ARGUMENT POSTING_TYPE_UNKNOWN'}
  ${'nothing'}             | ${credit('good', 'r', 0n)}                                           | ${'INVALID_ARGUMENT AMOUNT_NOT_POSITIVE'}
  ${'less than nothing'}   | ${credit('good', 'r', -1n)}                                          | ${'INVALID_ARGUMENT AMOUNT_NOT_POSITIVE'}
  ${'the smallest amount'} | ${credit('good', 'r', -(1n << 63n))}                                 | ${'INVALID_ARGUMENT AMOUNT_NOT_POSITIVE'}
  ${'more than fits'}      | ${credit('full', 'r', 1n)}                                           | ${'OUT_OF_RANGE AMOUNT_OVERFLOW'}
  ${'more than there is'}  | ${credit('good', 'too much', INT64_MAX, DEBIT)}                      | ${'FAILED_PRECONDITION INSUFFICIENT_FUNDS'}
  ${'an unknown account'}  | ${credit('nobody', 'r', 1n)}                                         | ${'NOT_FOUND ACCOUNT_NOT_FOUND'}
  ${'another unit'}        | ${credit('good', 'unit', 1n, { unit: 'USD' })}                       | ${'FAILED_PRECONDITION UNIT_MISMATCH'}
  ${'no signature'}        | ${credit('signed', 'r', 1n)}                                         | ${'PERMISSION_DENIED SIGNATURE_INVALID'}
  ${'a wrong signature'}   | ${credit('signed', 'r', 1n, { signature: Buffer.alloc(32) })}        | ${'PERMISSION_DENIED SIGNATURE_INVALID'}
  ${'an id used before'}   | ${credit('good', 'used', 2n)}                                        | ${'ALREADY_EXISTS REQUEST_ID_REUSED'}
`('$what: $refusal', async ({ posting, refusal }: { posting: Partial<accountpb.Posting>; refusal: string }) => {
  expect(await refusalOf(calls.post(posting))).toBe(refusal);
  // In a batch the same, item by item, and the others stand.
  const { results } = await calls.batch([posting, credit('good', 'used', 1n)]);
  expect(results[0]?.error?.reason).toBe(refusal.split(' ')[1]);
  expect(results[1]).toMatchObject({ repeated: true, error: undefined });
});

test('an empty batch, one of too many, an atomic one over partitions', async () => {
  expect(await refusalOf(calls.batch([]))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
  expect(await refusalOf(calls.batch(Array.from({ length: 10_001 }, (_, at) => credit('good', `n${at}`, 1n))))).toBe('INVALID_ARGUMENT BATCH_TOO_LARGE');
  const many = Array.from({ length: 20 }, (_, at) => credit(`account ${at}`, 'r', 1n));
  expect(await refusalOf(calls.batch(many, true))).toBe('INVALID_ARGUMENT BATCH_SPANS_PARTITIONS');
});

test('a message above 8 MiB', async () => {
  const large = Array.from({ length: 9_000 }, (_, at) => credit('good', `large ${at}`, 1n, { metadata: { key: 'x'.repeat(950) } }));
  expect(await refusalOf(calls.batch(large))).toBe('RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE');
});

test('a deadline that has passed, and one that passes', async () => {
  expect(await refusalOf(calls.post(credit('good', 'late', 1n), -1))).toMatch(/^DEADLINE_EXCEEDED/);
  const hurried = Array.from({ length: 20 }, (_, at) => refusalOf(calls.post(credit('good', `hurried ${at}`, 1n), 1)));
  for (const outcome of await Promise.all(hurried)) expect(outcome).toMatch(/^(OK|DEADLINE_EXCEEDED.*)$/);
  // Whatever became of them, each is done once when it is sent again.
  const again = await calls.batch(Array.from({ length: 20 }, (_, at) => credit('good', `hurried ${at}`, 1n)));
  expect(again.acceptedCount).toBe(20);
});

test.each([
  ['Post', Buffer.from('this is no message')],
  ['Post', Buffer.from([0x0a, 0x05, 0x0a])],
  ['Post', Buffer.alloc(0)],
  ['PostBatch', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
  ['PostBatch', Buffer.alloc(4_096, 0xff)],
  ['OpenAccount', Buffer.from([0x0a, 0x7f])],
  ['FreezeAccount', Buffer.from([0xff, 0xff])],
])('%s of bytes that are no request', async (method, bytes) => {
  expect(await refusalOf(calls.raw(`/sluice.account.v1.AccountCommandService/${method}`, bytes))).toBe('INVALID_ARGUMENT INVALID_REQUEST');
});

test('a method that is not there', async () => {
  expect(await refusalOf(calls.raw('/sluice.account.v1.AccountCommandService/Steal', Buffer.alloc(0)))).toBe('UNIMPLEMENTED');
  expect(await refusalOf(calls.raw('/sluice.nothing.v1.Nothing/Do', Buffer.alloc(0)))).toBe('UNIMPLEMENTED');
});

test.each([
  ['HTTP/1', Buffer.from('GET / HTTP/1.1\r\nHost: sluice\r\n\r\n')],
  ['a TLS greeting', Buffer.from('16030100c8010000c40303', 'hex')],
  ['noise', Buffer.from(Array.from({ length: 5_000 }, (_, at) => (at * 7_919) % 256))],
  ['a HTTP/2 preface and noise', Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.alloc(500, 0x41)])],
  ['nothing at all', Buffer.alloc(0)],
])('%s on the port', async (_, bytes) => {
  const [host = '', port = ''] = server.address.split(':');
  const socket = connect(Number(port), host);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.on('connect', resolve));
  socket.end(bytes);
  socket.resume();
  // Who says nothing sensible may be kept waiting, not served.
  setTimeout(() => socket.destroy(), 500).unref();
  await closed;
});

test('a stream that is broken off in the middle', async () => {
  const stream = calls.client.postStream();
  stream.on('error', () => undefined);
  stream.resume();
  for (let at = 0; at < 200; at += 1) stream.write(accountpb.PostStreamRequest.fromPartial({ posting: credit('good', `streamed ${at}`, 1n) }));
  stream.cancel();
  const settled = await calls.batch(Array.from({ length: 200 }, (_, at) => credit('good', `streamed ${at}`, 1n)));
  expect(settled.acceptedCount).toBe(200);
});

test('after all that, what was acknowledged is what is read', async () => {
  const { positionToken, result } = await calls.post(credit('good', 'the last', 1n));
  const { account } = await calls.account('good', positionToken);
  expect(account).toMatchObject({ balanceMinor: result?.balanceAfterMinor, entryCount: result?.entryNumber });
});
