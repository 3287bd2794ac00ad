/** The legs of transfers against the generated codec: what a leg says is what the order says, whatever the order of its fields. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import * as fc from 'fast-check';
import { Posting, PostingType } from '../generated/sluice/account/v1/account';
import { TransferBatchRequest, TransferOrder } from '../generated/sluice/account/v1/command_service';
import { TransferLeg } from '../generated/sluice/account/v1/events';
import { isEngineMade, HOLD_ID_LENGTH_AND_FLAGS, OUTCOME_NONE, type PostingBatch, STRIDE, TYPE } from './posting-batch';
import {
  creditsOf,
  encodeOrders,
  engineMadePostings,
  otherAccountId,
  refundsOf,
  releaseOfExpired,
  scanTransferLegs,
  scanTransfers,
  transferLeg,
} from './transfer-legs';

const ISSUES = {
  invalid: (batch: PostingBatch, index: number, message: string): void => {
    batch.outcomes[index] = 64;
    batch.messages.set(index, message);
  },
  unknownType: (): void => {
    throw new Error('a transfer has a type');
  },
};

const id = fc.string({ unit: fc.constantFrom('a', 'b', '{', '}', 'é', '語'), minLength: 1, maxLength: 12 });
const order: fc.Arbitrary<TransferOrder> = fc
  .record({
    requestId: id,
    fromAccountId: id,
    toAccountId: id,
    amountMinor: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
    unit: fc.constantFrom('EUR', 'USD'),
    channel: fc.constantFrom('', 'app'),
    initiatedDate: fc.constantFrom('', '2026-05-01'),
    metadata: fc.dictionary(id, id, { maxKeys: 3 }).map((pairs) => ({ ...pairs })),
    signature: fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
    signedAtUs: fc.bigInt({ min: 0n, max: 1n << 50n }),
    target: fc.constantFrom({ toCapability: '', order: Buffer.alloc(0) }, { toCapability: 'contest', order: Buffer.from('what it says') }),
  })
  .map(({ target, ...rest }) => ({ ...rest, ...target }))
  .filter(({ fromAccountId, toAccountId }) => fromAccountId !== toAccountId);

/** The order's fields in any order, with a field that this version does not know. */
const encoded = fc.tuple(order, fc.infiniteStream(fc.nat())).map(([message, shuffle]) => {
  const bytes = TransferOrder.encode(message).finish();
  const fields: Uint8Array[] = fieldsOf(bytes);
  fields.push(new BinaryWriter().tag(2_000, WireType.LengthDelimited).string('unknown').finish());
  const keys = new Map(fields.map((field) => [field, shuffle.next().value as number]));
  // Pairs of the metadata keep their order among themselves: a later one of the same key wins.
  const body = Buffer.concat([...fields].sort((left, right) => (keys.get(left) ?? 0) - (keys.get(right) ?? 0)));
  return { message, body };
});

function fieldsOf(bytes: Uint8Array): Uint8Array[] {
  const fields: Uint8Array[] = [];
  const batch = Buffer.from(bytes);
  let at = 0;
  while (at < batch.length) {
    const from = at;
    const wire = (batch[at] as number) & 7;
    while ((batch[at++] as number) >= 0x80);
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = batch[at++] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    if (wire === 2) at += value;
    fields.push(batch.subarray(from, at));
  }
  return fields;
}

function request(bodies: readonly Uint8Array[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const body of bodies) writer.tag(1, WireType.LengthDelimited).bytes(body);
  return writer.finish();
}

function expected({ fromAccountId, toAccountId, ...rest }: TransferOrder): Posting {
  return Posting.fromPartial({ ...rest, type: PostingType.POSTING_TYPE_DEBIT, accountId: fromAccountId, toAccountId });
}

test('an order is its own debit, its credit turns the accounts around, and a refund turns them back', () => {
  fc.assert(
    fc.property(fc.array(encoded, { minLength: 1, maxLength: 5 }), (orders) => {
      const debits = scanTransfers(request(orders.map(({ body }) => body)), ISSUES);
      expect(debits.count).toBe(orders.length);
      const indexes = orders.map((_, index) => index);
      const credits = creditsOf(debits, indexes);
      const refunds = refundsOf(credits, indexes);
      for (const [index, { message }] of orders.entries()) {
        expect(debits.outcomes[index]).toBe(OUTCOME_NONE);
        const debit = expected(message);
        expect(Posting.decode(debits.body(index))).toEqual(debit);
        expect(otherAccountId(debits, index)).toBe(message.toAccountId);
        const credit = {
          ...debit,
          type: PostingType.POSTING_TYPE_CREDIT,
          accountId: message.toAccountId,
          fromAccountId: message.fromAccountId,
          toAccountId: '',
        };
        expect(Posting.decode(credits.body(index))).toEqual({ ...credit, signature: Buffer.alloc(0), signedAtUs: 0n });
        const { requestId, fromAccountId, toAccountId, amountMinor, unit } = message;
        const refund = { requestId, accountId: fromAccountId, toAccountId, amountMinor, unit, type: PostingType.POSTING_TYPE_CREDIT };
        expect(Posting.decode(refunds.body(index))).toEqual(Posting.fromPartial(refund));
        expect([debits, credits, refunds].map((batch) => engineMade(batch, index))).toEqual([false, true, true]);
        expect(TransferLeg.decode(transferLeg(credits, index)).posting).toEqual(Posting.decode(credits.body(index)));
      }
      const arrived = scanTransferLegs(indexes.map((index) => Buffer.from(transferLeg(credits, index))));
      expect(indexes.map((index) => otherAccountId(arrived, index))).toEqual(orders.map(({ message }) => message.fromAccountId));
      expect(TransferBatchRequest.decode(encodeOrders(debits, indexes)).transfers).toEqual(orders.map(({ message }) => message));
      for (const batch of [debits, credits, refunds, arrived]) batch.release();
    }),
  );
});

function engineMade({ fields }: PostingBatch, index: number): boolean {
  return isEngineMade(fields[index * STRIDE + HOLD_ID_LENGTH_AND_FLAGS] as number, fields[index * STRIDE + TYPE] as number);
}

test('the release of an expired hold says so', () => {
  const release = releaseOfExpired({ accountId: 'a', holdId: 'h', releasedMinor: 5n, unit: 'EUR' });
  const { POSTING_TYPE_RELEASE: type } = PostingType;
  expect(Posting.decode(release.body(0))).toEqual(
    Posting.fromPartial({ requestId: 'h', accountId: 'a', type, amountMinor: 5n, unit: 'EUR', holdId: 'h', holdExpired: true }),
  );
  expect(engineMade(release, 0)).toBe(true);
});

test('interest is made by the engine, whether it is credited or charged; the debit of a transfer is not, whoever orders it', () => {
  const { POSTING_TYPE_CREDIT, POSTING_TYPE_DEBIT } = PostingType;
  const posting = (rest: Partial<Posting>): Posting => Posting.fromPartial({ requestId: 'r', accountId: 'a', amountMinor: 5n, unit: 'EUR', ...rest });
  const postings = [
    posting({ type: POSTING_TYPE_CREDIT, interest: true }),
    posting({ type: POSTING_TYPE_DEBIT, interest: true }),
    posting({ type: POSTING_TYPE_DEBIT, toAccountId: 'b' }),
  ];
  const batch = engineMadePostings(postings);
  expect(postings.map((_, index) => engineMade(batch, index))).toEqual([true, true, false]);
  expect(postings.map((_, index) => Posting.decode(batch.body(index)))).toEqual(postings);
  batch.release();
});

test.each([
  ['a hold id', { field: 6, value: 'h' }],
  ['the other side of a credit', { field: 15, value: 'x' }],
])('an order with %s is refused', (_what, { field, value }) => {
  const good = TransferOrder.encode(TransferOrder.fromPartial({ requestId: 'r', fromAccountId: 'a', toAccountId: 'b', amountMinor: 1n, unit: 'EUR' })).finish();
  const bad = Buffer.concat([good, new BinaryWriter().tag(field, WireType.LengthDelimited).string(value).finish()]);
  const batch = scanTransfers(request([good, bad]), ISSUES);
  expect([...batch.outcomes.subarray(0, 2)]).toEqual([OUTCOME_NONE, 64]);
});
