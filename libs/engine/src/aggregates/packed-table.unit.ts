/** The packed table with a record of two fields: versions of records, keys, snapshots that are given up. The table of accounts is tested by its own model. */
import type { ByteReader, ByteWriter } from '@sluice/protocol';
import { SEEDS } from '../test/partition-under-test';
import { PackedTable, type RecordCodec } from './packed-table';

interface Door {
  readonly key: string;
  width: number;
  colour: string;
}

/** Version 1 had no colour. */
class Doors implements RecordCodec<Door> {
  grown = 0;

  constructor(readonly version: number) {}

  pack(writer: ByteWriter, { width, colour }: Door): void {
    writer.reserve(64);
    writer.varint(width);
    if (this.version === 2) writer.raw(Buffer.from(colour), 0, colour.length);
  }

  unpack(key: string, body: ByteReader, version: number): Door {
    const width = body.varint();
    return { key, width, colour: version === 1 ? 'plain' : Buffer.from(body.bytes.subarray(body.at, body.end)).toString() };
  }

  takeBack(door: Door, record: Door): void {
    Object.assign(door, record);
  }

  grow(doors: number): void {
    this.grown = doors;
  }
}

const table = (version: number): PackedTable<Door> => new PackedTable('doors', SEEDS, new Doors(version));

function add(doors: PackedTable<Door>, key: string, width: number): void {
  doors.addUnder(Buffer.from(key), () => ({ key, width, colour: 'blue' }));
}

function find(doors: PackedTable<Door>, key: string): Door | undefined {
  const bytes = Buffer.from(key);
  const ordinal = doors.ordinalOf(bytes, 0, bytes.length);
  return ordinal === -1 ? undefined : doors.at(ordinal);
}

function blocksOf(doors: PackedTable<Door>): Uint8Array[] {
  const session = doors.beginSnapshot();
  const blocks: Uint8Array[] = [];
  for (let block = session.next(); block !== undefined; block = session.next()) blocks.push(block);
  session.end(true);
  return blocks;
}

test('records of an older version are read, and packed anew in the next snapshot, whether they were touched or not', () => {
  const old = table(1);
  add(old, 'front', 3);
  add(old, 'back', 200);
  const [block] = blocksOf(old);
  const today = table(2);
  today.restore(block as Uint8Array, 1);
  expect(find(today, 'front')).toEqual({ key: 'front', width: 3, colour: 'plain' });
  const [written] = blocksOf(today);
  const next = table(2);
  next.restore(written as Uint8Array, 2);
  expect([find(next, 'front'), find(next, 'back'), find(next, 'side')]).toEqual([
    { key: 'front', width: 3, colour: 'plain' },
    { key: 'back', width: 200, colour: 'plain' },
    undefined,
  ]);
});

test('what is restored can be changed, and is in the next snapshot as it is then', () => {
  const first = table(2);
  add(first, 'front', 3);
  const second = table(2);
  for (const block of blocksOf(first)) second.restore(block);
  second.touch(0).width = 4;
  const session = second.beginSnapshot();
  second.touch(0).width = 5;
  const block = session.next() as Uint8Array;
  session.end(true);
  const third = table(2);
  third.restore(block);
  expect([find(second, 'front')?.width, find(third, 'front')?.width]).toEqual([5, 4]);
});

test('one snapshot is taken at a time, and one that is given up leaves everything', () => {
  const doors = table(2);
  add(doors, 'front', 3);
  const session = doors.beginSnapshot();
  expect(() => doors.beginSnapshot()).toThrow('a snapshot of doors is under way');
  session.end(false);
  expect(find(doors, 'front')?.width).toBe(3);
  expect(blocksOf(doors)).toHaveLength(1);
});

test('a key has 255 bytes at most, and columns grow before an aggregate needs them', () => {
  const codec = new Doors(2);
  const doors = new PackedTable('doors', SEEDS, codec);
  expect(() => doors.addUnder(Buffer.alloc(256), () => ({ key: '', width: 0, colour: '' }))).toThrow('a key of doors has 256 bytes; 255 are the most');
  for (let at = 0; at < 5_000; at += 1)
    doors.addUnder(Buffer.from(`door ${at}`), (ordinal) => ({ key: `door ${at}`, width: codec.grown > ordinal ? 1 : 0, colour: '' }));
  expect([doors.size, find(doors, 'door 4999')?.width]).toEqual([5_000, 1]);
  doors.touch(4_999).width = 9;
  doors.takeBack(4_999, doors.packed(4_998));
  expect(find(doors, 'door 4999')).toMatchObject({ key: 'door 4998', width: 1 });
});
