/** docs/signatures.md is what callers write their signing from: its vectors and its example are held against the code. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { POSTING_TYPES } from '@sluice/domain/account';
import { Posting } from '../generated/sluice/account/v1/account';
import { TransferBatchRequest, TransferOrder } from '../generated/sluice/account/v1/command_service';
import { scanTransfers } from './transfer-legs';
import { postingSignatureVerifies, signPosting, type SignedFields } from './posting-signature';

const page = readFileSync(join(__dirname, '../../../../docs/signatures.md'), 'utf8');

interface Vector extends SignedFields {
  readonly key: Buffer;
  readonly signature: string;
}

const vectors: Vector[] = page
  .slice(page.indexOf('## Test vectors'))
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`|`$/g, ''));
    const [key, requestId, accountId, typeName, counterparty, holdId, unit, amount, signedAt, signature] = cells as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    return {
      key: Buffer.from(key, 'hex'),
      requestId,
      accountId,
      typeName,
      counterparty,
      holdId,
      unit,
      amountMinor: BigInt(amount),
      signedAtUs: BigInt(signedAt),
      signature,
    };
  });

function encode(fields: SignedFields, signature: Uint8Array): Uint8Array {
  const type = POSTING_TYPES.findIndex((name) => name === fields.typeName) + 1;
  return Posting.encode(Posting.fromPartial({ ...fields, type, signature: Buffer.from(signature), metadata: { not: 'signed' }, final: true })).finish();
}

test('the page has a vector for every type', () => {
  expect(new Set(vectors.map(({ typeName }) => typeName))).toEqual(new Set(POSTING_TYPES));
});

test.each(vectors)('vector $requestId ($typeName)', ({ key, signature, ...fields }) => {
  expect(signPosting(key, fields).toString('hex')).toBe(signature);
  expect(postingSignatureVerifies(key, encode(fields, Buffer.from(signature, 'hex')))).toBe(true);
});

test('the example on the page signs as the server checks', () => {
  const source = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const sign = runInNewContext(`${source.replace(/^import .*$/m, '')}; sign`, { createHmac, Buffer }) as (key: Buffer, posting: object) => Buffer;
  for (const { key, signature, ...fields } of vectors) {
    const { requestId, accountId, typeName, counterparty, holdId, unit, amountMinor, signedAtUs } = fields;
    const posting = {
      request_id: requestId,
      account_id: accountId,
      type: typeName,
      counterparty,
      hold_id: holdId,
      unit,
      amount_minor: amountMinor,
      signed_at_us: signedAtUs,
    };
    expect(sign(key, posting).toString('hex')).toBe(signature);
  }
});

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n });
const signed = fc.record({
  requestId: text,
  accountId: text,
  typeName: fc.constantFrom(...POSTING_TYPES),
  counterparty: text,
  holdId: text,
  unit: text,
  amountMinor: int64,
  signedAtUs: int64,
});
const key = fc.uint8Array({ minLength: 16, maxLength: 64 });

test('a signature verifies over the posting that it was made for, and over no other', () => {
  fc.assert(
    fc.property(key, signed, signed, (secret, fields, others) => {
      const signature = signPosting(secret, fields);
      expect(postingSignatureVerifies(secret, encode(fields, signature))).toBe(true);
      for (const name of Object.keys(fields) as (keyof SignedFields)[]) {
        if (others[name] === fields[name]) continue;
        expect(postingSignatureVerifies(secret, encode({ ...fields, [name]: others[name] }, signature))).toBe(false);
      }
    }),
    { numRuns: 100 },
  );
});

test('text cannot be moved from one field into the next', () => {
  const fields: SignedFields = {
    requestId: 'ab',
    accountId: 'c',
    typeName: 'CREDIT',
    counterparty: '',
    holdId: '',
    unit: 'EUR',
    amountMinor: 1n,
    signedAtUs: 1n,
  };
  const secret = Buffer.alloc(16, 7);
  expect(postingSignatureVerifies(secret, encode({ ...fields, requestId: 'a', accountId: 'bc' }, signPosting(secret, fields)))).toBe(false);
});

test.each([0, 31, 33])('a signature of %i bytes verifies nothing', (length) => {
  const fields: SignedFields = {
    requestId: 'r',
    accountId: 'a',
    typeName: 'CREDIT',
    counterparty: '',
    holdId: '',
    unit: 'EUR',
    amountMinor: 1n,
    signedAtUs: 1n,
  };
  expect(postingSignatureVerifies(Buffer.alloc(16), encode(fields, Buffer.alloc(length)))).toBe(false);
});

test('a transfer is signed with its target, under a type name of its own', () => {
  const key = Buffer.alloc(16, 7);
  const order = TransferOrder.fromPartial({ requestId: 't', fromAccountId: 'a', toAccountId: 'b', amountMinor: 5n, unit: 'EUR', signedAtUs: 9n });
  const { requestId, unit, amountMinor, signedAtUs } = order;
  const signed = { requestId, accountId: 'a', typeName: 'TRANSFER', counterparty: 'b', holdId: '', unit, amountMinor, signedAtUs };
  const verifies = (changed: Partial<TransferOrder>, fields = signed): boolean => {
    const transfers = [{ ...order, ...changed, signature: signPosting(key, fields) }];
    const batch = scanTransfers(TransferBatchRequest.encode({ transfers }).finish(), { invalid: () => undefined, unknownType: () => undefined });
    return postingSignatureVerifies(key, batch.body(0));
  };
  expect(verifies({})).toBe(true);
  expect(verifies({ toAccountId: 'c' })).toBe(false);
  expect(verifies({}, { ...signed, typeName: 'DEBIT' })).toBe(false);
  expect(verifies({}, { ...signed, typeName: 'DEBIT', counterparty: '' })).toBe(false);
});
