/** What cannot be taken back is done only when a person says so. */
import type { Surroundings } from './connection';
import { EXIT, PlainFailure, UsageError } from './exit-code';

export interface Question {
  /** What would be done, for who cannot be asked: "this would drop 3 commits". */
  readonly consequence: string;
  readonly text: string;
  /** What is said after every answer but yes. */
  readonly otherwise: string;
}

/** Throws a UsageError where nobody can be asked, and a PlainFailure after every answer but yes. */
export async function confirm({ ask }: Surroundings, { consequence, text, otherwise }: Question): Promise<void> {
  if (ask === undefined) throw new UsageError(`${consequence}: say --yes, nobody can be asked here`);
  const answer = await ask(`${text} Type "yes": `);
  if (answer.trim() !== 'yes') throw new PlainFailure(otherwise, EXIT.refused);
}
