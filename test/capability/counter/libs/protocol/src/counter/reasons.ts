/** The reasons that only counters give. */
import { reason, type ReasonDefinition } from '../reason-definition';

export const counterReasons = {
  COUNTER_NOT_FOUND: reason('NOT_FOUND', 'There is no such counter.', 'Check the id, or add to the counter first.'),
  COUNTER_ADDITION_TOO_LARGE: reason('INVALID_ARGUMENT', 'The amount is larger than one request may add.', 'Add it in several requests, or raise the setting.'),
  COUNTER_OVERFLOW: reason('OUT_OF_RANGE', 'The value would leave the range of a signed 64-bit integer.', 'Add less.'),
  COUNTER_BELOW_ZERO: reason('FAILED_PRECONDITION', 'The value would fall below 0.', 'Take at most the value, with a new request.'),
} as const satisfies Readonly<Record<string, ReasonDefinition>>;
