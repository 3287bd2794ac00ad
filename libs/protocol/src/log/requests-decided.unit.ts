import * as fc from 'fast-check';
import { RequestDecided, RequestOrigin, RequestsDecided } from '../generated/sluice/log/v1/request_decided';
import { decidedTogetherIn, RequestsDecidedWriter } from './requests-decided';

test('the names and the pointer are those of the whole message', () => {
  const decided = fc.record({
    capability: fc.string(),
    aggregate: fc.string(),
    key: fc.string(),
    previousSequence: fc.bigInt({ min: 0n, max: 1n << 53n }).map((sequence) => sequence - (sequence === 1n << 53n ? 1n : 0n)),
    requests: fc.array(
      fc.record({ requestId: fc.string() }).map(({ requestId }) => ({
        ...{ requestId, origin: RequestOrigin.REQUEST_ORIGIN_CALLER, reason: '', metadata: {} },
        bodyDigest: Buffer.alloc(16, 7),
        reply: Buffer.from('reply'),
      })),
    ),
  });
  fc.assert(
    fc.property(decided, (message) => {
      const { capability, aggregate, key, previousSequence } = message;
      expect(decidedTogetherIn(RequestsDecided.encode(message).finish())).toEqual({ capability, aggregate, key, previousSequence: Number(previousSequence) });
    }),
  );
});

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const item = fc.record({
  requestId: text,
  origin: fc.constantFrom(RequestOrigin.REQUEST_ORIGIN_CALLER, RequestOrigin.REQUEST_ORIGIN_DELIVERY, RequestOrigin.REQUEST_ORIGIN_SETTLED),
  bodyDigest: fc.constantFrom(Buffer.alloc(0), Buffer.alloc(16, 7)),
  reason: fc.constantFrom('', 'CONTEST_NOT_FOUND'),
  metadata: fc.oneof(fc.constant({}), fc.dictionary(text, text, { maxKeys: 3, noNullPrototype: true })),
  reply: fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 300 })).map((bytes) => Buffer.from(bytes)),
});
const names = fc.record({ capability: text, aggregate: text, key: text, previousSequence: fc.maxSafeNat() });

test('verdicts that are written one by one have the bytes that the generated codec writes', () => {
  fc.assert(
    fc.property(names, fc.array(item, { maxLength: 5 }), (name, requests) => {
      const writer = new RequestsDecidedWriter(name);
      for (const { requestId, origin, bodyDigest, reason, reply, metadata } of requests) writer.add(requestId, origin, bodyDigest, reason, reply, metadata);
      const previousSequence = BigInt(name.previousSequence);
      expect(writer.count).toBe(requests.length);
      expect(Buffer.compare(writer.together(), RequestsDecided.encode({ ...name, previousSequence, requests }).finish())).toBe(0);
      const [only] = requests;
      if (requests.length !== 1 || only === undefined) return;
      expect(Buffer.compare(writer.single(), RequestDecided.encode({ ...name, previousSequence, ...only }).finish())).toBe(0);
    }),
  );
});

test('a request whose parts lie in bytes is written as one whose parts are values', () => {
  fc.assert(
    fc.property(names, item, text, (name, { requestId, origin, reason, reply }, before) => {
      fc.pre(requestId !== '');
      const [fromBytes, fromValues] = [new RequestsDecidedWriter(name), new RequestsDecidedWriter(name)];
      const ids = Buffer.from(before + requestId, 'utf8');
      const digests = Buffer.from(Array.from({ length: 48 }, (_, at) => at));
      fromBytes.addBytes(ids, Buffer.byteLength(before), ids.length, origin, digests, 16, reason, Buffer.concat([reply, ids]), reply.length);
      fromValues.add(requestId, origin, digests.subarray(16, 32), reason, reply);
      expect(Buffer.compare(fromBytes.together(), fromValues.together())).toBe(0);
    }),
  );
});
