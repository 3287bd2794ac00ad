/** The reasons that only business days give. */
import { reason, type ReasonDefinition } from '../reason-definition';

export const businessDayReasons = {
  BRANCH_NOT_FOUND: reason('NOT_FOUND', 'The branch is not registered.', 'Check the branch, or register it first.'),
  BRANCH_EXISTS: reason('ALREADY_EXISTS', 'The branch is registered already.', 'Use UpdateBranch.'),
  DATE_NOT_ONLINE: reason(
    'FAILED_PRECONDITION',
    'The date is not the online date of the branch.',
    'Ask for the dates with GetBusinessDay, then send a new request.',
  ),
  DATE_NOT_BATCH: reason(
    'FAILED_PRECONDITION',
    'The date is not the batch date of the branch.',
    'Ask for the dates with GetBusinessDay, then send a new request.',
  ),
  DAY_NOT_CUT: reason('FAILED_PRECONDITION', 'The day is not cut yet.', 'Cut it, then send a new request.'),
  BATCH_UNDER_WAY: reason('FAILED_PRECONDITION', 'The end of day of an earlier date is under way.', 'Send a new request when it has ended.'),
  BATCH_NOT_WHOLE: reason(
    'FAILED_PRECONDITION',
    'Steps of the batch are missing, or accounts were set aside.',
    'Wait for the steps, or force the day begin with a reason.',
  ),
  NO_BATCH_RUN: reason('FAILED_PRECONDITION', 'No end of day is under way.', 'Nothing to do.'),
  PRODUCT_NOT_FOUND: reason('NOT_FOUND', 'There is no such product.', 'Check its code, or create it first.'),
  PRODUCT_EXISTS: reason('ALREADY_EXISTS', 'The product exists already.', 'Use UpdateProduct.'),
  TOO_MANY_PRODUCTS: reason(
    'RESOURCE_EXHAUSTED',
    'There are 1,000 products, or their terms have more than 64 KiB together.',
    'Use one of them, or fewer tiers.',
  ),
  BATCH_RUN_NOT_FOUND: reason('NOT_FOUND', 'There is no such run.', 'Its id is the branch, a slash and the date.'),
} as const satisfies Readonly<Record<string, ReasonDefinition>>;
