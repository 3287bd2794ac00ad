import * as fc from 'fast-check';
import { aggregateKey } from './aggregate-kind';
import { requestIdHash, RequestIdHashes } from './request-id-hash';

test('an id that lies in bytes has the hash of the id as a text', () => {
  const seeds = { first: 0x1234_5678, second: -7 };
  const kind = { capability: 'contest', aggregate: 'contest' };
  const hashes = new RequestIdHashes(seeds, kind);
  const id = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constant('x'.repeat(400)));
  fc.assert(
    fc.property(id, fc.string(), fc.string(), (requestId, before, keyText) => {
      const key = aggregateKey(seeds, keyText);
      const bytes = Buffer.from(before + requestId, 'utf8');
      const into = new Int32Array(4);
      hashes.write(key.hash, bytes, Buffer.byteLength(before), bytes.length, into, 1);
      const { first, second } = requestIdHash(seeds, kind, key, requestId);
      expect([...into]).toEqual([0, first, second, 0]);
    }),
  );
});
