/** A batch that is encoded once and sent many times, with other request ids and other numbered accounts each time; see request-frame.ts. */
import { ACCOUNT_DIGITS, numberedAccountId } from './load-order';
import { writeNumber } from './request-frame';
import { REQUEST_ID_PLACEHOLDER, type RequestIds } from './request-ids';

/** Stands for a numbered account in what is encoded. */
export const ACCOUNT_PLACEHOLDER = numberedAccountId(0);

export class NumberedFrame {
  private readonly bytes: Buffer;
  private readonly requestIdOffsets: readonly number[];
  private readonly numberOffsets: readonly number[];

  /** @param counts for each account that an item names, in the order of the fields: it is a random one of accounts 0 to count - 1. */
  constructor(
    encoded: Uint8Array,
    private readonly counts: readonly number[],
  ) {
    this.bytes = Buffer.from(encoded);
    this.requestIdOffsets = offsetsOf(this.bytes, REQUEST_ID_PLACEHOLDER);
    this.numberOffsets = offsetsOf(this.bytes, ACCOUNT_PLACEHOLDER).map((offset) => offset + ACCOUNT_PLACEHOLDER.length - ACCOUNT_DIGITS);
  }

  /** The next request, over the one before. */
  next(ids: RequestIds): Buffer {
    const { bytes, requestIdOffsets, numberOffsets, counts } = this;
    for (const offset of requestIdOffsets) ids.writeNext(bytes, offset);
    for (let at = 0; at < numberOffsets.length; at += 1) {
      const count = counts[at % counts.length] as number;
      writeNumber(bytes, numberOffsets[at] as number, Math.floor(Math.random() * count));
    }
    return bytes;
  }
}

/** Where the text stands in the bytes, each time. */
export function offsetsOf(bytes: Buffer, text: string): number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) offsets.push(at);
  return offsets;
}
