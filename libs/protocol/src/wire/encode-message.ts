/** A generated message as bytes, by a writer that is used again: a new one for each message costs more than encoding a small message. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** What ts-proto generates. */
export interface MessageEncoder<Message> {
  encode(message: Message, writer?: BinaryWriter): { finish(): Uint8Array };
}

/** The buffer of a writer grows to the largest message that it wrote. One that wrote more than this is not kept. */
const MAXIMUM_KEPT_BYTES = 64 * 1_024;

/** Undefined: it is in use, or was not given back. */
let idle: BinaryWriter | undefined;

/** The bytes are the caller's own. Throws what the encoder throws. */
export function encodeMessage<Message>(encoder: MessageEncoder<Message>, message: Message): Uint8Array {
  const writer = idle ?? new BinaryWriter();
  // An encoder that throws leaves half a message in it, and one may encode another message meanwhile.
  idle = undefined;
  const written = encoder.encode(message, writer);
  const bytes = written.finish();
  if (written === writer && bytes.length <= MAXIMUM_KEPT_BYTES) idle = writer;
  return bytes;
}
