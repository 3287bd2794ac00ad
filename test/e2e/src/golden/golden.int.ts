/** Yesterday's events are read by today's code. golden/README.md says what is proved, and how a new history is made. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_TABLES, readCommit, readNextCommit, NO_CHECKSUM, type LogPosition } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { goldenNames, readGolden, type GoldenRequest } from './golden-log';
import { GoldenService, projectedAccounts } from './golden-service';

/**
 * Written for ordinary capabilities, of which accounts is none (libs/engine/src/aggregates pins its bytes), and for deliveries that their target cannot
 * decide (libs/engine/src/deliveries does).
 */
const PINNED_ELSEWHERE: ReadonlySet<string> = new Set(['log.RequestDecided/1', 'log.RequestsDecided/1', 'log.DeliveriesDead/1', 'log.DeliveriesRedriven/1']);

/** Ordinary capabilities have histories of their own: apps/command/src/<capability>/history. */
function hasOwnHistories(event: string): boolean {
  const [capability = ''] = event.split('.');
  return existsSync(join(__dirname, '..', '..', '..', '..', 'apps', 'command', 'src', capability, 'history'));
}

test('the histories have every event, in every version that can be read', () => {
  const found = new Set(
    goldenNames()
      .flatMap((name) => readGolden(name).commits.flat())
      .flatMap((bytes) => readCommit(Buffer.from(bytes, 'base64')).events.map(({ type, version }) => `${type}/${version}`)),
  );
  const known = EVENT_TABLES.flatMap((table) => table.known()).map(({ type, version }) => `${type}/${version}`);
  const missing = known.filter((event) => !found.has(event) && !PINNED_ELSEWHERE.has(event) && !hasOwnHistories(event));
  expect(missing).toEqual([]);
  expect([...found].filter((event) => !known.includes(event))).toEqual([]);
});

/** Refusals that no commit holds: the request is decided anew. */
const UNRECORDED: ReadonlySet<string | undefined> = new Set(['ACCOUNT_NOT_FOUND', 'AMOUNT_NOT_POSITIVE', 'SIGNATURE_INVALID']);

describe.each(goldenNames())('%s', (name) => {
  const golden = readGolden(name);

  test('every commit verifies against its predecessor', () => {
    golden.commits.forEach((commits, partition) => {
      let position: LogPosition = { incarnation: Buffer.from(golden.incarnation, 'hex'), partition, sequence: 0, checksum: NO_CHECKSUM };
      for (const bytes of commits) {
        const { sequence, checksum } = readNextCommit(position, Buffer.from(bytes, 'base64'));
        position = { ...position, sequence, checksum };
      }
    });
  });

  test('the projection makes the accounts of then', async () => {
    expect(
      await projectedAccounts(
        GoldenService.over(golden).storage,
        golden.accounts.map(({ accountId }) => accountId),
      ),
    ).toEqual(golden.accounts);
  });

  test('requests get their first answers again, from the log and from a snapshot of it; other bodies are refused', async () => {
    const service = GoldenService.over(golden);
    for (const from of ['log', 'snapshot']) {
      await service.start();
      for (const asked of golden.requests) {
        if (UNRECORDED.has(asked.refused)) continue;
        const again = await service.call(asked.method, Buffer.from(asked.request, 'base64'));
        expect({ from, method: asked.method, answer: plain(again) }).toEqual({ from, method: asked.method, answer: repeated(plain(asked)) });
        if (!isPosting(asked) || asked.response === undefined) continue;
        const changed = await service.call(asked.method, otherBody(asked));
        expect(reasonsOf(changed)).toEqual(reasonsOf(changed).map(() => 'REQUEST_ID_REUSED'));
      }
      await service.stop();
    }
    const before = golden.commits.flat().length;
    const ownership = golden.partitions * 2;
    expect(service.storage.partitions.flat().length).toBe(before + ownership);
  });

  test('the balances go on from where they were', async () => {
    const service = GoldenService.over(golden);
    await service.start();
    for (const { accountId, unit, balanceMinor, entryCount, status, signingKeyId } of golden.accounts) {
      const posting = accountpb.Posting.fromPartial({
        accountId,
        unit,
        requestId: 'after all that',
        type: accountpb.PostingType.POSTING_TYPE_DEBIT,
        amountMinor: 1n,
      });
      const answer = await service.call('postBatch', accountpb.PostBatchRequest.encode({ postings: [posting], atomic: false }).finish());
      const [result] = accountpb.PostBatchResponse.decode(Buffer.from(answer.response ?? '', 'base64')).results;
      if (status !== 'OPEN' || signingKeyId !== '') expect(result?.error).toBeDefined();
      else expect([accountId, result?.balanceAfterMinor, result?.entryNumber]).toEqual([accountId, BigInt(balanceMinor) - 1n, BigInt(entryCount) + 1n]);
    }
    await service.stop();
  });
});

function isPosting({ method }: GoldenRequest): boolean {
  return method === 'post' || method === 'postBatch';
}

interface PlainAnswer {
  readonly refused?: string | undefined;
  readonly results?: readonly Readonly<Record<string, unknown>>[];
}

/** An answer without its token, which covers what was seen since. Codes and reasons of refusals are promised, their messages are not. */
function plain({ method, response, refused }: GoldenRequest): PlainAnswer {
  if (response === undefined) return { refused };
  const bytes = Buffer.from(response, 'base64');
  if (method === 'postBatch') return { results: accountpb.PostBatchResponse.decode(bytes).results.map(plainResult) };
  if (method === 'transferBatch') return { results: accountpb.TransferBatchResponse.decode(bytes).results.map(plainResult) };
  if (method === 'transfer') return { results: [plainResult(accountpb.TransferResponse.decode(bytes).result as accountpb.TransferResult)] };
  if (method === 'post') return { results: [plainResult(accountpb.PostResponse.decode(bytes).result as accountpb.PostingResult)] };
  const { result } = accountpb.OpenAccountResponse.decode(bytes);
  return { results: [{ ...result, positionToken: '' }] };
}

function plainResult({ error, ...result }: accountpb.PostingResult | accountpb.TransferResult): Readonly<Record<string, unknown>> {
  return { ...result, code: error?.code, reason: error?.reason };
}

/** What was accepted, and every item of a batch, says that it is a repeat; the status of a call has no room for it. */
function repeated({ refused, results }: PlainAnswer): PlainAnswer {
  return { ...(refused === undefined ? { results: results?.map((result) => ({ ...result, repeated: true })) } : { refused }) };
}

/** The same request with one unit of money more. */
function otherBody({ method, request }: GoldenRequest): Uint8Array {
  const bytes = Buffer.from(request, 'base64');
  const more = (posting: accountpb.Posting): accountpb.Posting => ({ ...posting, amountMinor: posting.amountMinor - 1n, channel: 'another' });
  if (method === 'post') return accountpb.PostRequest.encode({ posting: more(accountpb.PostRequest.decode(bytes).posting as accountpb.Posting) }).finish();
  const { postings, atomic } = accountpb.PostBatchRequest.decode(bytes);
  return accountpb.PostBatchRequest.encode({ postings: postings.map(more), atomic }).finish();
}

function reasonsOf({ refused, response }: GoldenRequest): (string | undefined)[] {
  if (response === undefined) return [refused];
  return accountpb.PostBatchResponse.decode(Buffer.from(response, 'base64')).results.map(({ error }) => error?.reason);
}
