import type { BinaryWriter } from '@bufbuild/protobuf/wire';
import { reservationpb } from '../reservation';
import { encodeMessage, type MessageEncoder } from './encode-message';

const { NumberChanged } = reservationpb;
const message = (identityId: string): reservationpb.NumberChanged =>
  NumberChanged.fromPartial({ identityId, report: { number: `of ${identityId}`, version: 7 } });
const encoded = (identityId: string): Uint8Array => NumberChanged.encode(message(identityId)).finish();

test('each message is what a writer of its own makes of it, and stays so', () => {
  const texts = ['a', 'b'.repeat(300), '', 'c'.repeat(200_000), 'd'];
  const all = texts.map((text) => encodeMessage(NumberChanged, message(text)));
  expect(all.map((bytes) => Buffer.from(bytes).equals(encoded(texts[all.indexOf(bytes)] as string)))).toEqual(texts.map(() => true));
});

test('what an encoder wrote before it threw is in no other message', () => {
  const throwing: MessageEncoder<string> = {
    encode: (text, writer) => {
      (writer as BinaryWriter).uint32(10).string(text);
      throw new Error('half a message');
    },
  };
  for (let time = 0; time < 2; time += 1) {
    expect(() => encodeMessage(throwing, 'half')).toThrow('half a message');
    expect(encodeMessage(NumberChanged, message('whole'))).toEqual(encoded('whole'));
  }
});

test('an encoder may encode another message, and may write to no writer or to one of its own', () => {
  const nesting: MessageEncoder<string> = {
    encode: (text, writer) => {
      (writer as BinaryWriter).uint32(10).string(text);
      return (writer as BinaryWriter).uint32(18).bytes(encodeMessage(NumberChanged, message('inner')));
    },
  };
  const outer = reservationpb.ExpireParked.decode(encodeMessage(nesting, 'outer'));
  expect(outer).toEqual({ identityId: 'outer', associateId: Buffer.from(encoded('inner')).toString('utf8') });
  const ignoring: MessageEncoder<string> = {
    encode: (text, writer) => {
      (writer as BinaryWriter).uint32(10).string(text);
      return { finish: () => encoded(text) };
    },
  };
  expect(encodeMessage(ignoring, 'elsewhere')).toEqual(encoded('elsewhere'));
  expect(encodeMessage(NumberChanged, message('after'))).toEqual(encoded('after'));
});
