/** What became of the calls of a replay: refusals, calls that were made again, and the longest answers. */
import { SluiceError } from '@sluice/client';
import { isAway, untilAnswered } from './until-answered';

/** Calls that run while a branch is cut, and all others. */
export type AnswerKind = 'throughCut' | 'other';

/** A server that is away for so long does not come back. */
const PATIENCE_MS = 120_000;

export class AnswerLog {
  private readonly longest: Record<AnswerKind, number> = { throughCut: 0, other: 0 };
  private againCount = 0;
  private readonly refusalTexts: string[] = [];

  get longestMs(): Readonly<Record<AnswerKind, number>> {
    return { throughCut: Math.round(this.longest.throughCut), other: Math.round(this.longest.other) };
  }

  /** Calls that were made again because the server was away. */
  get again(): number {
    return this.againCount;
  }

  get refusals(): readonly string[] {
    return this.refusalTexts;
  }

  refused(what: string, { code, reason, message }: SluiceError): void {
    this.refusalTexts.push(`${what}: refused, ${reason || code}: ${message}`);
  }

  countAgain(): void {
    this.againCount += 1;
  }

  /** Undefined: it was refused. Throws if the server stays away. */
  async ask<Answer>(what: string, call: () => Promise<Answer>, kind: AnswerKind = 'other'): Promise<Answer | undefined> {
    let tries = 0;
    try {
      return await untilAnswered(() => {
        tries += 1;
        return this.timed(kind, call);
      }, PATIENCE_MS);
    } catch (error) {
      if (!(error instanceof SluiceError) || isAway(error)) throw error;
      this.refused(what, error);
      return undefined;
    } finally {
      this.againCount += tries - 1;
    }
  }

  private async timed<Answer>(kind: AnswerKind, call: () => Promise<Answer>): Promise<Answer> {
    const beganMs = performance.now();
    try {
      return await call();
    } finally {
      this.longest[kind] = Math.max(this.longest[kind], performance.now() - beganMs);
    }
  }
}
