/** Posting types on the command line. */
import { POSTING_TYPES, type PostingType } from '@sluice/client';
import { InvalidArgumentError } from 'commander';

export function postingType(text: string): PostingType {
  const type = POSTING_TYPES.find((known) => known === text.toUpperCase());
  if (type === undefined) throw new InvalidArgumentError(`it is one of ${POSTING_TYPES.join(', ')}`);
  return type;
}

export function postingTypes(text: string): PostingType[] {
  return text === '' ? [] : text.split(',').map(postingType);
}
