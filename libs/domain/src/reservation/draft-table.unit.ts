import fc from 'fast-check';
import { decideIdentity, reserveAnswered, type IdentityDecision } from './decide-identity';
import { DraftTable } from './draft-table';
import { newIdentity, type Identity } from './identity';
import type { NumberReport } from './number-report';

interface Value {
  readonly value: number;
}

const keyArbitrary = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const changesArbitrary = fc.array(fc.record({ key: keyArbitrary, value: fc.option(fc.nat()) }), { maxLength: 20 });

test('a draft is what a map is to which the same was done, and the table below stays as it is', () => {
  fc.assert(
    fc.property(fc.uniqueArray(keyArbitrary), changesArbitrary, (keys, changes) => {
      const below = new Map(keys.map((key, value): [string, Value] => [key, { value }]));
      const before = [...below];
      const draft = new DraftTable(below);
      const map = new Map(below);
      for (const { key, value } of changes) {
        if (value === null) expect(draft.delete(key)).toBe(map.delete(key));
        else {
          draft.set(key, { value });
          map.set(key, { value });
        }
        expect([...draft]).toEqual([...map]);
        expect({ size: draft.size, get: draft.get(key), has: draft.has(key) }).toEqual({ size: map.size, get: map.get(key), has: map.has(key) });
      }
      expect([[...draft.keys()], [...draft.values()]]).toEqual([[...map.keys()], [...map.values()]]);
      expect([...below]).toEqual(before);
    }),
  );
});

test('what is set while a draft is looked through is come to, too, and what is deleted is not', () => {
  const draft = new DraftTable<Value>(
    new Map([
      ['a', { value: 1 }],
      ['b', { value: 2 }],
      ['c', { value: 3 }],
    ]),
  ); // prettier-ignore
  const seen: number[] = [];
  for (const [key, { value }] of draft) {
    seen.push(value);
    if (key !== 'a') continue;
    draft.delete('b');
    draft.set('c', { value: 30 });
    draft.set('d', { value: 4 });
  }
  expect(seen).toEqual([1, 30, 4]);
});

/** Looking through it is an error: what a decision takes must not grow with what is there. */
class UnseenMap<Key, Content> extends Map<Key, Content> {
  override [Symbol.iterator](): never {
    throw new Error('every number was looked at');
  }
  override entries(): never {
    throw new Error('every number was looked at');
  }
  override values(): never {
    throw new Error('every number was looked at');
  }
}

const NUMBERS = 1_000;
const reserved: NumberReport = { number: 'n500', state: 'RESERVED', waiting: false, version: 1, sequence: 7, reason: '' };
const acceptedKinds = (decision: IdentityDecision): string[] => (decision.accepted ? decision.events.map(({ kind }) => kind) : [decision.rejection]);

test.each<[what: string, decide: (identity: Identity) => string[], kinds: string[]]>([
  [
    'the answer of a number',
    (of) => reserveAnswered(of, { otherIdentity: false, associated: false, report: reserved }, 1).events.map(({ kind }) => kind),
    ['numberReported'],
  ],
  ['a change of a number', (of) => acceptedKinds(decideIdentity(of, { kind: 'numberChanged', report: { ...reserved, version: 2 } }, 1)), ['numberReported']],
  [
    'an associate request that names a number',
    (of) => acceptedKinds(decideIdentity(of, { kind: 'takeAssociate', associateId: 'r/1', number: 'n9', parkUs: 1, note: '' }, 1)),
    ['associateTaken'],
  ],
])('%s is decided without a look at the other numbers of the identity', (_what, decide, kinds) => {
  const numbers: Identity['numbers'] = new UnseenMap();
  for (let at = 0; at < NUMBERS; at += 1)
    numbers.set(`n${at}`, { report: { number: `n${at}`, state: 'NONE', waiting: false, version: 0, sequence: 0, reason: '' }, named: false });
  expect(decide({ ...newIdentity('many'), numbers })).toEqual(kinds);
});
