/**
 * Names of write attempts: unique for ever, so that what is written once never meets a row of the same key; rising while a
 * projector runs, so that a partition's segments are appended to the end of its range of keys.
 */
import { randomBytes } from 'node:crypto';

export class AttemptNames {
  private count = 0;
  private readonly run: string;

  constructor(
    private readonly partition: number,
    startUs: number,
  ) {
    this.run = base36(Math.floor(startUs / 1_000), 9) + randomBytes(4).toString('hex');
  }

  next(): string {
    this.count += 1;
    return `${attemptPrefix(this.partition)}${this.run}${base36(this.count, 6)}`;
  }
}

/** What the names of all attempts of the partition, and so the keys of its segments, start with. */
export function attemptPrefix(partition: number): string {
  return `${base36(partition, 4)}-`;
}

function base36(value: number, digits: number): string {
  return value.toString(36).padStart(digits, '0');
}
