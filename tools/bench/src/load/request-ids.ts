/**
 * Request ids of 36 characters in the form of a UUID, written into a request in place. Unique by construction (the first
 * quarter is a one-to-one scramble of a counter), spread like random ones, so that no index has an easy time with them.
 */
const HEX = Buffer.from('0123456789abcdef', 'latin1');
/** Where the eight groups of four hex digits stand in 8-4-4-4-12. */
const QUAD_OFFSETS = [0, 4, 9, 14, 19, 24, 28, 32];

export const REQUEST_ID_PLACEHOLDER = '00000000-0000-0000-0000-000000000000';
export const REQUEST_ID_LENGTH = REQUEST_ID_PLACEHOLDER.length;

export class RequestIds {
  #counter = 0;
  #state: number;

  /** @param run 48 random bits that no other generator of the run has. */
  constructor(private readonly run: number) {
    this.#state = Math.floor(run / 0x1_0000) | 1;
  }

  /** Writes the next id over the 36 bytes at `offset`, whose hyphens stand already. */
  writeNext(bytes: Uint8Array, offset: number): void {
    const unique = scramble(this.#counter++);
    writeQuad(bytes, offset + (QUAD_OFFSETS[0] as number), unique >>> 16);
    writeQuad(bytes, offset + (QUAD_OFFSETS[1] as number), unique & 0xffff);
    // 48 bits that name the generator, so that two of them never meet.
    writeQuad(bytes, offset + (QUAD_OFFSETS[2] as number), this.run & 0xffff);
    writeQuad(bytes, offset + (QUAD_OFFSETS[3] as number), (this.run / 0x1_0000) & 0xffff);
    writeQuad(bytes, offset + (QUAD_OFFSETS[4] as number), (this.run / 0x1_0000_0000) & 0xffff);
    const random = this.#nextRandom();
    writeQuad(bytes, offset + (QUAD_OFFSETS[5] as number), random >>> 16);
    writeQuad(bytes, offset + (QUAD_OFFSETS[6] as number), random & 0xffff);
    writeQuad(bytes, offset + (QUAD_OFFSETS[7] as number), this.#nextRandom() & 0xffff);
  }

  /** Xorshift32 (George Marsaglia, 2003). */
  #nextRandom(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }
}

/** One to one on 32 bits: the finalizer of MurmurHash3. */
function scramble(counter: number): number {
  let value = counter | 0;
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  value ^= value >>> 16;
  return value >>> 0;
}

function writeQuad(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = HEX[(value >>> 12) & 0xf] as number;
  bytes[offset + 1] = HEX[(value >>> 8) & 0xf] as number;
  bytes[offset + 2] = HEX[(value >>> 4) & 0xf] as number;
  bytes[offset + 3] = HEX[value & 0xf] as number;
}
