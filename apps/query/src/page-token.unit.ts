import fc from 'fast-check';
import { decodePageToken, encodePageToken } from './page-token';

const scope = ['entries', 'alice', true, undefined, 7];

test('gives back the cursor that it was made with', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (cursor) =>
      expect(decodePageToken(scope, encodePageToken(scope, cursor))).toBe(cursor),
    ),
  );
  expect(decodePageToken(scope, '')).toBeUndefined();
});

test('refuses whatever it has not made for this scope', () => {
  const token = encodePageToken(scope, '1234');
  expect(() => decodePageToken(['entries', 'bob', true, undefined, 7], token)).toThrow('of other filters');
  fc.assert(fc.property(fc.string({ minLength: 1 }), (made) => expect(() => decodePageToken(scope, made)).toThrow()));
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom('A', 'b', '9', '_', '='), (at, character) => {
      const changed = token.slice(0, at) + character + token.slice(at + 1);
      if (changed !== token) expect(() => decodePageToken(scope, changed)).toThrow();
    }),
  );
  expect(() => decodePageToken(scope, 'A'.repeat(10_000))).toThrow();
});
