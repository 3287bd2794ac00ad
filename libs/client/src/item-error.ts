/** Why an item of a batch or a stream has no result, as the error that a unary call would have thrown. */
import { SluiceError, statusName } from './sluice-error';

/** What the services say of an item that they refuse. */
interface ItemRefusal {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

export function refusedItem({ code, reason, message }: ItemRefusal, metadata: Readonly<Record<string, string>>, requestId: string): SluiceError {
  return new SluiceError({ code: statusName(code), reason, message, metadata, requestId });
}

/** @param what the item is, like "posting". */
export function missingResult(what: string, requestId: string): SluiceError {
  return new SluiceError({ code: 'INTERNAL', reason: '', message: `the answer has no result for this ${what}`, requestId });
}
