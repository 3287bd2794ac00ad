/** A part of an answer without which the answer says nothing. */
import { SluiceError } from './sluice-error';

export function expectedPart<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new SluiceError({ code: 'INTERNAL', reason: '', message: 'the answer has not what was asked for' });
  return part;
}
