/**
 * Sides are measured in turn, round by round, because a machine's speed drifts by more than what is to be told apart; what
 * counts is each side's median.
 */
import type { Histogram } from './latency';
import type { LagSamples } from './lag';
import { median } from './median';

export interface Measured {
  readonly perSecond: number;
  readonly latency?: Histogram;
  readonly lag?: LagSamples;
}

export interface Side {
  readonly name: string;
  /** Whether its first seconds are slower (code is compiled), so that it is run once before the rounds. */
  readonly warmsUp: boolean;
  measure(windowMs: number): Promise<Measured>;
}

/** One for each round. */
export type Rounds = readonly Measured[];

const WARM_ROUND_MS = 2_000;

export async function measureInterleaved<Name extends string>(
  sides: Readonly<Record<Name, Side | undefined>>,
  { rounds, windowMs, announce }: { rounds: number; windowMs: number; announce: (step: string) => void },
): Promise<Record<Name, Rounds | undefined>> {
  const present = (Object.entries(sides) as [Name, Side | undefined][]).filter((entry): entry is [Name, Side] => entry[1] !== undefined);
  const measured = Object.fromEntries(Object.keys(sides).map((name) => [name, undefined])) as Record<Name, Measured[] | undefined>;
  for (const [, side] of present) {
    if (!side.warmsUp) continue;
    announce(`warming up ${side.name}`);
    await side.measure(Math.min(WARM_ROUND_MS, windowMs));
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, side] of present) {
      announce(`round ${round} of ${rounds}: ${side.name}`);
      (measured[name] ??= []).push(await side.measure(windowMs));
    }
  }
  return measured;
}

export function medianPerSecond(rounds: Rounds): number {
  return median(rounds.map(({ perSecond }) => perSecond));
}
