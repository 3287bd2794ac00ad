/** What every `ReadStore` promises: the suite opens stores on the factory's storage as a projector and a query would. */
import {
  CheckpointMovedError,
  type CollectionDefinition,
  CopyAbandonedError,
  CopyClosedError,
  SwitchEndedError,
  type CopySwitch,
  type FieldValue,
  type ReadCopy,
  type ReadStore,
  type Row,
  type RowQuery,
  type RowWrite,
} from '@sluice/ports';
import { hex, patternBytes } from './pattern-bytes';
import { rowQueryContract } from './row-query-contract';

export interface ReadStoreContractIdentity {
  readonly incarnation: string;
  readonly partitions: number;
}

/** One read store's storage, fresh for a test. */
export interface ReadStoreFixture {
  /** The order in which the storage sorts texts; that of the code points, except where a server stands in for the real one. */
  readonly textOrder?: 'code points' | 'UTF-16 units';
  /** Opens a (further) store on the storage; without identity: as a query would, that knows no log. Collections: those of the fixture if not given. */
  open(identity?: ReadStoreContractIdentity, collections?: readonly CollectionDefinition[]): Promise<ReadStore>;
  /** Why the store would read more for the query than its index says; empty: it does not. Undefined where there is no plan to be had. */
  readonly planProblems?: (copy: ReadCopy, query: RowQuery) => Promise<readonly string[]>;
  /** Closes what is open and removes the storage. */
  dispose(): Promise<void>;
}

const WALLETS: CollectionDefinition = {
  name: 'wallets',
  key: 'wallet_id',
  fields: { wallet_id: 'text', owner: 'text', balance_minor: 'int64', version: 'number', frozen: 'boolean', seal: 'bytes', sequence: 'number' },
  indexes: { by_version: ['version'] },
  guard: 'sequence',
};

const NOTES: CollectionDefinition = { name: 'notes', key: 'note_id', fields: { note_id: 'text', body: 'text' }, indexes: {} };

/** Ids of projections. */
const WALLET = 'wallet@1';
const LETTER = 'letter@1';

const LETTERS: CollectionDefinition = {
  name: 'letters',
  format: 1,
  key: 'letter_id',
  fields: { letter_id: 'text', body: 'text' },
  indexes: { by_body: ['body'] },
};
/** The same collection when its projection has another format: it has a field more. */
const LETTERS_2: CollectionDefinition = { ...LETTERS, format: 2, fields: { letter_id: 'text', body: 'text', pages: 'number' } };

const IDENTITY: ReadStoreContractIdentity = { incarnation: '0123456789abcdef0123456789abcdef', partitions: 2 };
const NEXT_IDENTITY: ReadStoreContractIdentity = { incarnation: 'fedcba9876543210fedcba9876543210', partitions: 2 };

interface FieldCase {
  readonly field: string;
  readonly value: FieldValue;
}

function wallet(walletId: string, sequence: number, fields: Record<string, FieldValue> = {}): RowWrite {
  const row: Row = { wallet_id: walletId, owner: 'nobody', balance_minor: 0n, version: 1, frozen: false, seal: null, sequence, ...fields };
  return { kind: 'put', collection: 'wallets', row };
}

function note(noteId: string, body: string): RowWrite {
  return { kind: 'put', collection: 'notes', row: { note_id: noteId, body } };
}

export function readStoreContract(name: string, makeFixture: (collections: readonly CollectionDefinition[]) => Promise<ReadStoreFixture>): void {
  rowQueryContract(name, makeFixture);

  describe(`read store contract: ${name}`, () => {
    let fixture: ReadStoreFixture;
    let store: ReadStore;
    let copy: ReadCopy;

    beforeEach(async () => {
      fixture = await makeFixture([WALLETS, NOTES]);
      store = await fixture.open(IDENTITY);
      copy = await store.current();
    });

    afterEach(async () => {
      await fixture.dispose();
    });

    const apply = (sequence: number, writes: readonly RowWrite[], target: ReadCopy = copy, partition = 0): Promise<void> =>
      target.apply({ partition, projections: [WALLET], previousSequence: sequence - 1, sequence, committedAtUs: 1000 + sequence, writes });

    describe('rows', () => {
      test.each`
        field              | value
        ${'owner'}         | ${''}
        ${'owner'}         | ${'Jürgen 东京 🦀 "quoted" \\'}
        ${'owner'}         | ${null}
        ${'balance_minor'} | ${9_223_372_036_854_775_807n}
        ${'balance_minor'} | ${-9_223_372_036_854_775_808n}
        ${'balance_minor'} | ${0n}
        ${'balance_minor'} | ${null}
        ${'version'}       | ${Number.MAX_SAFE_INTEGER}
        ${'version'}       | ${-1}
        ${'version'}       | ${0}
        ${'frozen'}        | ${true}
        ${'frozen'}        | ${false}
        ${'frozen'}        | ${null}
        ${'seal'}          | ${null}
      `('the field $field keeps $value', async ({ field, value }: FieldCase) => {
        await apply(1, [wallet('w', 1, { [field]: value })]);
        const row = (await copy.get('wallets', 'w')) as Row;
        expect(row[field]).toBe(value);
        expect(Object.keys(row).sort()).toEqual(Object.keys(WALLETS.fields).sort());
        expect((await copy.find({ collection: 'wallets', limit: 10 })).rows).toEqual([row]);
      });

      test('texts with control characters stay whole', async () => {
        const texts = ['\u0000', 'a\u0000b', '\u0001', '\u0001\u0001', '\u0001\u0002\u0000'];
        await apply(
          1,
          texts.map((text, at) => note(`${text}${at}`, text)),
        );
        expect(
          (
            await copy.getMany(
              'notes',
              texts.map((text, at) => `${text}${at}`),
            )
          ).map((row) => row?.['body']),
        ).toEqual(texts);
      });

      test('bytes of every length come back as they went', async () => {
        await apply(1, [wallet('none', 1, { seal: new Uint8Array(0) }), wallet('many', 1, { seal: patternBytes(1, 300_000).subarray(5) })]);
        expect(hex((await copy.get('wallets', 'none'))?.['seal'] as Uint8Array)).toBe('');
        expect(hex((await copy.get('wallets', 'many'))?.['seal'] as Uint8Array)).toBe(hex(patternBytes(1, 300_000).subarray(5)));
      });

      test('a put writes the whole row: what it does not name is null', async () => {
        await apply(1, [wallet('w', 1, { owner: 'Ada', frozen: true })]);
        await apply(2, [{ kind: 'put', collection: 'wallets', row: { wallet_id: 'w', version: 7, sequence: 2 } }]);
        expect(await copy.get('wallets', 'w')).toEqual({ wallet_id: 'w', owner: null, balance_minor: null, version: 7, frozen: null, seal: null, sequence: 2 });
      });

      test('a put whose guard is not above the stored one changes nothing', async () => {
        await apply(1, [wallet('w', 5, { owner: 'five' })]);
        await apply(2, [wallet('w', 5, { owner: 'five again' }), wallet('w', 4, { owner: 'four' })]);
        expect((await copy.get('wallets', 'w'))?.['owner']).toBe('five');
        await apply(3, [wallet('w', 6, { owner: 'six' }), wallet('w', 7, { owner: 'seven' })]);
        expect((await copy.get('wallets', 'w'))?.['owner']).toBe('seven');
      });

      test('without a guard the last put stands', async () => {
        await apply(1, [note('n', 'first'), note('n', 'second')]);
        await apply(2, [note('n', 'third')]);
        expect(await copy.get('notes', 'n')).toEqual({ note_id: 'n', body: 'third' });
      });

      test('puts and deletes of one key keep their order', async () => {
        await apply(1, [
          note('a', '1'),
          note('b', '1'),
          { kind: 'delete', collection: 'notes', key: 'a' },
          { kind: 'delete', collection: 'notes', key: 'missing' },
        ]);
        await apply(2, [{ kind: 'delete', collection: 'notes', key: 'b' }, note('b', '2')]);
        expect(await copy.getMany('notes', ['a', 'b'])).toEqual([undefined, { note_id: 'b', body: '2' }]);
      });

      test('many are looked up in the order of the keys that are asked for', async () => {
        const ids = Array.from({ length: 200 }, (_, at) => `n${String(at).padStart(3, '0')}`);
        await apply(
          1,
          ids.map((id) => note(id, id)),
        );
        const asked = [...ids].reverse().flatMap((id, at) => (at % 3 === 0 ? [id, `${id}-missing`] : [id]));
        expect((await copy.getMany('notes', asked)).map((row) => row?.['note_id'])).toEqual(asked.map((id) => (id.endsWith('missing') ? undefined : id)));
        expect(await copy.getMany('notes', [])).toEqual([]);
        expect(await copy.getMany('notes', ['n001', 'n001'])).toHaveLength(2);
      });
    });

    describe('applying', () => {
      test('the checkpoint of each partition moves with its batches', async () => {
        expect(await copy.checkpoints()).toEqual([]);
        await apply(1, [note('a', '1')]);
        await copy.apply({ partition: 0, projections: [WALLET], previousSequence: 1, sequence: 9, committedAtUs: 5009, writes: [] });
        await apply(1, [note('b', '1')], copy, 1);
        expect([...(await copy.checkpoints())].sort((left, right) => left.partition - right.partition)).toEqual([
          { partition: 0, projection: WALLET, sequence: 9, committedAtUs: 5009 },
          { partition: 1, projection: WALLET, sequence: 1, committedAtUs: 1001 },
        ]);
      });

      test('a batch that does not begin at the checkpoint is refused and writes nothing', async () => {
        await apply(1, [note('a', '1')]);
        const late = apply(1, [note('a', 'again'), note('b', '1')]);
        await expect(late).rejects.toBeInstanceOf(CheckpointMovedError);
        await expect(late).rejects.toMatchObject({ partition: 0, expected: 0, found: 1 });
        await expect(apply(3, [note('b', '1')])).rejects.toBeInstanceOf(CheckpointMovedError);
        expect(await copy.getMany('notes', ['a', 'b'])).toEqual([{ note_id: 'a', body: '1' }, undefined]);
        await apply(2, [note('a', '2')]);
      });

      test('of two projectors at the same batch one is refused', async () => {
        const rival = await (await fixture.open(IDENTITY)).current();
        const outcomes = await Promise.allSettled([apply(1, [note('a', 'x')]), apply(1, [note('a', 'x')], rival)]);
        expect(outcomes.filter((outcome) => outcome.status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
        for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(CheckpointMovedError);
        expect((await copy.checkpoints())[0]?.sequence).toBe(1);
      });

      test('an unknown collection or field is refused', async () => {
        await expect(apply(1, [{ kind: 'put', collection: 'nowhere', row: { id: 'x' } }])).rejects.toThrow(/nowhere/);
        await expect(apply(1, [{ kind: 'put', collection: 'notes', row: { note_id: 'x', colour: 'red' } }])).rejects.toThrow(/colour/);
        expect(await copy.checkpoints()).toEqual([]);
      });

      test('rows and checkpoints are there after the store was closed and opened again', async () => {
        await apply(1, [wallet('w', 1, { owner: 'Ada', balance_minor: 5n })]);
        await store.close();
        store = await fixture.open();
        copy = await store.current();
        expect(await copy.get('wallets', 'w')).toMatchObject({ owner: 'Ada', balance_minor: 5n });
        expect(await copy.checkpoints()).toEqual([{ partition: 0, projection: WALLET, sequence: 1, committedAtUs: 1001 }]);
        expect([await store.incarnation(), await store.partitions()]).toEqual([IDENTITY.incarnation, IDENTITY.partitions]);
      });
    });

    describe('projections', () => {
      const applyOf = (
        projections: readonly string[],
        previousSequence: number,
        sequence: number,
        writes: readonly RowWrite[],
        target: ReadCopy,
      ): Promise<void> => target.apply({ partition: 0, projections, previousSequence, sequence, committedAtUs: 1000 + sequence, writes });
      const letter = (body: string, more: Record<string, FieldValue> = {}): RowWrite => ({
        kind: 'put',
        collection: 'letters',
        row: { letter_id: 'l', body, ...more },
      });
      const standing = async (target: ReadCopy): Promise<string[]> =>
        (await target.checkpoints()).map(({ partition, projection, sequence }) => `${partition} ${projection} ${sequence}`);

      test('a batch moves the checkpoints of its projections, and of no others', async () => {
        await applyOf([WALLET, LETTER], 0, 3, [note('a', '3')], copy);
        expect(await standing(copy)).toEqual(['0 letter@1 3', '0 wallet@1 3']);
        await applyOf([LETTER], 3, 5, [], copy);
        await applyOf([WALLET], 3, 4, [], copy);
        expect(await standing(copy)).toEqual(['0 letter@1 5', '0 wallet@1 4']);
        await applyOf([WALLET], 4, 5, [], copy);
        await applyOf([LETTER, WALLET], 5, 6, [], copy);
        expect(await standing(copy)).toEqual(['0 letter@1 6', '0 wallet@1 6']);
      });

      test('a batch is refused unless every one of its projections stands where it begins', async () => {
        await applyOf([WALLET], 0, 3, [], copy);
        for (const previousSequence of [0, 3]) {
          const early = applyOf([WALLET, LETTER], previousSequence, 4, [note('a', '4')], copy);
          await expect(early).rejects.toBeInstanceOf(CheckpointMovedError);
        }
        expect(await copy.get('notes', 'a')).toBeUndefined();
        expect(await standing(copy)).toEqual(['0 wallet@1 3']);
      });

      test('two projections begin at the same time, each with a batch of its own', async () => {
        const rival = await (await fixture.open(IDENTITY)).current();
        await Promise.all([applyOf([WALLET], 0, 1, [note('a', '1')], copy), applyOf([LETTER], 0, 2, [note('b', '2')], rival)]);
        expect(await standing(copy)).toEqual(['0 letter@1 2', '0 wallet@1 1']);
      });

      test('a collection that a later version has is empty, and is filled while the others keep their rows and go on', async () => {
        await applyOf([WALLET], 0, 2, [note('a', 'kept')], copy);
        const later = await fixture.open(IDENTITY, [WALLETS, NOTES, LETTERS]);
        const seen = await later.current();
        expect([seen.name, await seen.get('notes', 'a'), await seen.get('letters', 'l')]).toEqual([copy.name, { note_id: 'a', body: 'kept' }, undefined]);
        await applyOf([LETTER], 0, 1, [letter('first')], seen);
        await applyOf([WALLET], 2, 3, [note('b', 'went on')], copy);
        await applyOf([LETTER], 1, 3, [letter('third')], seen);
        await applyOf([WALLET, LETTER], 3, 4, [letter('fourth'), note('c', 'both')], seen);
        expect((await seen.find({ collection: 'letters', index: 'by_body', equals: { body: 'fourth' }, limit: 2 })).rows).toHaveLength(1);
        expect((await copy.getMany('notes', ['a', 'b', 'c'])).map((row) => row?.['body'])).toEqual(['kept', 'went on', 'both']);
      });

      test('rows of another format stand apart, and each version reads its own', async () => {
        const first = await (await fixture.open(IDENTITY, [LETTERS])).current();
        await applyOf([LETTER], 0, 1, [letter('short')], first);
        const second = await (await fixture.open(IDENTITY, [LETTERS_2])).current();
        expect(await second.get('letters', 'l')).toBeUndefined();
        await applyOf(['letter@2'], 0, 1, [letter('short', { pages: 1 })], second);
        await applyOf([LETTER], 1, 2, [letter('long')], first);
        expect(await first.get('letters', 'l')).toEqual({ letter_id: 'l', body: 'long' });
        expect(await second.get('letters', 'l')).toEqual({ letter_id: 'l', body: 'short', pages: 1 });
        expect(await standing(second)).toEqual(['0 letter@1 2', '0 letter@2 1']);
      });
    });

    describe('copies', () => {
      test('a query may come first; the copy that it finds belongs to the first log that is named', async () => {
        const other = await makeFixture([WALLETS, NOTES]);
        try {
          const query = await other.open();
          expect([await query.incarnation(), await query.partitions()]).toEqual([undefined, undefined]);
          expect(await (await query.current()).get('notes', 'a')).toBeUndefined();
          const projector = await other.open(IDENTITY);
          await apply(1, [note('a', '1')], await projector.current());
          expect([await projector.incarnation(), await projector.partitions()]).toEqual([IDENTITY.incarnation, IDENTITY.partitions]);
          expect(await query.incarnation()).toBe(IDENTITY.incarnation);
          expect(await (await query.current()).get('notes', 'a')).toEqual({ note_id: 'a', body: '1' });
        } finally {
          await other.dispose();
        }
      });

      test('a copy is empty and unseen until it is put in force, then everybody sees it', async () => {
        const query = await fixture.open();
        await apply(1, [note('a', 'old')]);
        const fresh = await store.beginCopy(NEXT_IDENTITY);
        expect(await fresh.get('notes', 'a')).toBeUndefined();
        await apply(1, [note('a', 'new')], fresh);
        expect((await (await query.current()).get('notes', 'a'))?.['body']).toBe('old');
        expect(await query.incarnation()).toBe(IDENTITY.incarnation);

        await store.activate(await store.beginSwitch(fresh));
        expect((await (await store.current()).get('notes', 'a'))?.['body']).toBe('new');
        await eventually(async () => (await (await query.current()).get('notes', 'a'))?.['body'] === 'new');
        expect(await query.incarnation()).toBe(NEXT_IDENTITY.incarnation);
        // Who still reads from the old copy gets its answers for a while.
        expect((await copy.get('notes', 'a'))?.['body']).toBe('old');
      });

      test('an abandoned copy does not stand in the way of the next rebuild', async () => {
        await apply(1, [note('a', 'abandoned')], await store.beginCopy(NEXT_IDENTITY));
        const fresh = await store.beginCopy(NEXT_IDENTITY);
        expect(await fresh.get('notes', 'a')).toBeUndefined();
        expect(await fresh.checkpoints()).toEqual([]);
        await store.activate(await store.beginSwitch(fresh));
        expect(await store.incarnation()).toBe(NEXT_IDENTITY.incarnation);
      });
    });

    describe('a switch', () => {
      let fresh: ReadCopy;
      let rival: ReadStore;
      let old: ReadCopy;
      beforeEach(async () => {
        await apply(1, [note('a', 'old')]);
        fresh = await store.beginCopy(IDENTITY);
        await apply(1, [note('a', 'new')], fresh);
        rival = await fixture.open(IDENTITY);
        old = await rival.current();
      });

      test('closes the copy in force to every store, while the copy that is filled stays open; nothing of a refused batch is written', async () => {
        await apply(2, [note('b', 'before the switch')], old);
        const begun = await store.beginSwitch(fresh);
        expect(await rival.switchUnderWay()).toEqual(begun);
        await expect(apply(3, [note('c', 'closed')], old)).rejects.toThrow(new CopyClosedError(old.name, 'switching'));
        await expect(apply(3, [note('c', 'closed')])).rejects.toBeInstanceOf(CopyClosedError);
        expect(await copy.get('notes', 'c')).toBeUndefined();
        expect((await copy.checkpoints())[0]?.sequence).toBe(2);
        await apply(2, [note('b', 'before the switch')], fresh);

        await store.activate(begun);
        expect(await rival.switchUnderWay()).toBeUndefined();
        await expect(apply(3, [note('c', 'late')], old)).rejects.toThrow(new CopyClosedError(old.name, 'replaced or abandoned'));
        // Who was refused looks for the copy in force, and finds it at once.
        expect((await rival.current()).name).toBe(fresh.name);
        await apply(3, [note('c', 'new')], await rival.current());
      });

      test('that is ended opens the copy in force again, and its copy does not come in force by it', async () => {
        const begun = await store.beginSwitch(fresh);
        await rival.endSwitch((await rival.switchUnderWay()) as CopySwitch);
        await apply(2, [note('b', 'went on')], old);
        await expect(store.continueSwitch(begun)).rejects.toBeInstanceOf(SwitchEndedError);
        await expect(store.activate(begun)).rejects.toThrow(new SwitchEndedError(fresh.name));
        expect((await rival.current()).name).toBe(old.name);

        await apply(2, [note('b', 'went on')], fresh);
        await store.activate(await store.beginSwitch(fresh));
        expect((await store.current()).name).toBe(fresh.name);
      });

      test('that goes on is not ended by who saw it before', async () => {
        const begun = await store.beginSwitch(fresh);
        const seen = (await rival.switchUnderWay()) as CopySwitch;
        const continued = await store.continueSwitch(begun);
        expect(continued.mark).not.toBe(begun.mark);
        await rival.endSwitch(seen);
        expect(await rival.switchUnderWay()).toEqual(continued);
        await expect(store.activate(begun)).rejects.toBeInstanceOf(SwitchEndedError);
        await store.activate(continued);
      });

      test('is over when another rebuild begins, and the copy of the first is never written nor put in force again', async () => {
        const begun = await store.beginSwitch(fresh);
        const second = await rival.beginCopy(IDENTITY);
        await apply(2, [note('b', 'went on')], old);
        await expect(store.activate(begun)).rejects.toBeInstanceOf(SwitchEndedError);
        await expect(store.beginSwitch(fresh)).rejects.toThrow(new CopyAbandonedError(fresh.name));
        await expect(apply(2, [note('b', 'late')], fresh)).rejects.toBeInstanceOf(CopyClosedError);
        await apply(1, [note('a', 'second')], second);
        await rival.activate(await rival.beginSwitch(second));
        expect((await (await rival.current()).get('notes', 'a'))?.['body']).toBe('second');
      });
    });

    test('listeners hear of changes in this store and in others, until they stop', async () => {
      const query = await fixture.open();
      const heard = { own: 0, other: 0 };
      const stop = store.onChange(() => {
        heard.own += 1;
      });
      query.onChange(() => {
        heard.other += 1;
      });
      await apply(1, [note('a', '1')]);
      expect(heard.own).toBeGreaterThanOrEqual(1);
      await eventually(async () => heard.other >= 1);
      stop();
      const before = heard.own;
      await apply(2, [note('a', '2')]);
      expect(heard.own).toBe(before);
    });
  });
}

/** Looks again and again until the condition holds; the limit of the test ends it. */
async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
