/** The fields of an encoded message, without decoding what is in them: skipping a thousand results costs some microseconds. */

const WIRE_VARINT = 0;
const WIRE_LENGTH = 2;

export interface WireField {
  readonly field: number;
  /** A number, or the length of the bytes. */
  readonly value: number;
  /** Where the bytes begin; undefined: the field is a number. */
  readonly start: number | undefined;
}

/** Numbers of more than 31 bits and fields of fixed width are refused. */
export function eachField(bytes: Uint8Array, visit: (field: WireField) => void): void {
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 28) throw new Error('an answer is not a message');
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = readVarint();
    const field = tag >>> 3;
    const value = readVarint();
    switch (tag & 7) {
      case WIRE_VARINT:
        visit({ field, value, start: undefined });
        break;
      case WIRE_LENGTH:
        visit({ field, value, start: at });
        at += value;
        break;
      default:
        throw new Error(`an answer has an unknown wire type in field ${field}`);
    }
  }
}
