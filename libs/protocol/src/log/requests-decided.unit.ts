import * as fc from 'fast-check';
import { RequestOrigin, RequestsDecided } from '../generated/sluice/log/v1/request_decided';
import { decidedTogetherIn } from './requests-decided';

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
