import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ByteReader } from './byte-reader';

test.each`
  kind         | write
  ${'varint'}  | ${(writer: BinaryWriter) => writer.tag(1, WireType.Varint).uint64(1n << 60n)}
  ${'fixed64'} | ${(writer: BinaryWriter) => writer.tag(1, WireType.Bit64).fixed64(7n)}
  ${'bytes'}   | ${(writer: BinaryWriter) => writer.tag(1, WireType.LengthDelimited).bytes(new Uint8Array(300))}
  ${'empty'}   | ${(writer: BinaryWriter) => writer.tag(1, WireType.LengthDelimited).string('')}
  ${'fixed32'} | ${(writer: BinaryWriter) => writer.tag(1, WireType.Bit32).fixed32(7)}
`('a field that nobody asks for is passed over whole: $kind', ({ write }: { write: (writer: BinaryWriter) => BinaryWriter }) => {
  const bytes = write(new BinaryWriter()).tag(2, WireType.Varint).uint32(42).finish();
  const reader = new ByteReader(bytes, 0, bytes.length);
  reader.skip(reader.varint() & 7);
  expect(reader.varint()).toBe((2 << 3) | WireType.Varint);
  expect(reader.varint()).toBe(42);
  expect(reader.done).toBe(true);
});
