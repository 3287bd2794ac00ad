/**
 * Names of write attempts: unique for ever, so that what is written once never meets a row of the same key; rising while a
 * projector runs, so that a partition's segments are appended to the end of its range of keys.
 */
import { randomInt } from 'node:crypto';
import { attemptPrefix, sortableNumber } from '@sluice/projections';

/** Milliseconds have eight digits until 2059. */
const TIME_DIGITS = 8;
const RANDOM_DIGITS = 5;

export class AttemptNames {
  private count = 0;
  private readonly run: string;

  constructor(partition: number, startUs: number) {
    const started = base36(Math.floor(startUs / 1_000), TIME_DIGITS);
    this.run = attemptPrefix(partition) + started + base36(randomInt(36 ** RANDOM_DIGITS), RANDOM_DIGITS);
  }

  next(): string {
    this.count += 1;
    return this.run + sortableNumber(this.count);
  }
}

function base36(value: number, digits: number): string {
  return value.toString(36).padStart(digits, '0');
}
