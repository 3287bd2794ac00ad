/** The reasons that only accounts give. */
import { reason, type ReasonDefinition } from '../reason-definition';

export const accountReasons = {
  POSTING_TYPE_UNKNOWN: reason('INVALID_ARGUMENT', 'The posting type is unspecified or not one this server knows.', 'Send one of the posting types.'),
  AMOUNT_NOT_POSITIVE: reason('INVALID_ARGUMENT', 'The amount is zero or negative.', 'Send an amount above 0; the type says the direction.'),
  BATCH_SPANS_PARTITIONS: reason(
    'INVALID_ARGUMENT',
    'An atomic batch names accounts of several partitions.',
    'Keep the accounts of an atomic batch together with braces in their ids, or send it without `atomic`.',
  ),
  ACCOUNT_NOT_FOUND: reason('NOT_FOUND', 'There is no such account.', 'Check the id, or open the account first.'),
  ACCOUNT_EXISTS: reason('ALREADY_EXISTS', 'The account was opened before, by another request id.', 'Use the account, or another id.'),
  SIGNATURE_INVALID: reason(
    'PERMISSION_DENIED',
    'The account signs its postings and the signature is missing or wrong.',
    'Sign with the key in force; see docs/signatures.md.',
  ),
  SIGNING_KEY_MISSING: reason(
    'FAILED_PRECONDITION',
    'The account signs its postings, and the keyring of the server lacks its key: no signature can be checked.',
    'Give the account a new key (UpdateAccount), or restore the keyring; then send the request again.',
  ),
  UNIT_MISMATCH: reason('FAILED_PRECONDITION', "The unit is not the account's.", "Send the account's unit."),
  ACCOUNT_FROZEN: reason('FAILED_PRECONDITION', 'The account is frozen; only CREDIT and RELEASE pass.', 'Unfreeze the account, then send a new request.'),
  ACCOUNT_CLOSED: reason('FAILED_PRECONDITION', 'The account is closed for ever.', 'Use another account.'),
  TYPE_NOT_ALLOWED: reason(
    'FAILED_PRECONDITION',
    "The posting type is not among the account's allowed types.",
    'Use an allowed type, or change the limits and send a new request.',
  ),
  POSTING_LIMIT_EXCEEDED: reason(
    'FAILED_PRECONDITION',
    "The amount is above the account's limit for one posting.",
    'Send smaller amounts, or change the limits and send a new request.',
  ),
  INSUFFICIENT_FUNDS: reason('FAILED_PRECONDITION', 'Balance - held + overdraft is smaller than the amount.', 'Credit the account, then send a new request.'),
  HOLD_NOT_FOUND: reason('FAILED_PRECONDITION', 'The hold does not exist or nothing of it is left.', 'Check the hold id; it is the request id of the HOLD.'),
  HOLD_EXCEEDED: reason('FAILED_PRECONDITION', 'The amount is above what is left of the hold.', 'Capture or release at most what is left.'),
  TOO_MANY_HOLDS: reason('FAILED_PRECONDITION', 'The account has 10,000 open holds.', 'Capture or release some, then send a new request.'),
  MAXIMUM_BALANCE_EXCEEDED: reason(
    'FAILED_PRECONDITION',
    "The balance would rise above the account's maximum.",
    'Send less, or change the limits and send a new request.',
  ),
  AMOUNT_OVERFLOW: reason('OUT_OF_RANGE', 'A balance or a sum would leave the range of a signed 64-bit integer.', 'Send less, or use a larger minor unit.'),
  BALANCE_NOT_ZERO: reason('FAILED_PRECONDITION', 'Only an account with balance 0 can be closed.', 'Bring the balance to 0, then send a new request.'),
  HOLDS_OPEN: reason(
    'FAILED_PRECONDITION',
    'Only an account without open holds can be closed. Named before BALANCE_NOT_ZERO where both stand in the way.',
    'Capture or release the holds, then send a new request.',
  ),
  TRANSFERS_PENDING: reason(
    'FAILED_PRECONDITION',
    'Only an account whose outgoing transfers have their verdicts can be closed.',
    'Wait until they are SETTLED or REFUNDED, then send a new request.',
  ),
  TARGET_NOT_FOUND: reason('NOT_FOUND', 'The target of the transfer, which is the account to be credited, does not exist.', 'Check `to_account_id`.'),
  TARGET_UNIT_MISMATCH: reason('FAILED_PRECONDITION', "The unit is not the target's.", 'Transfer between accounts of one unit.'),
  TARGET_CLOSED: reason('FAILED_PRECONDITION', 'The target of the transfer is closed for ever.', 'Transfer to another account.'),
  TARGET_TYPE_NOT_ALLOWED: reason(
    'FAILED_PRECONDITION',
    "CREDIT is not among the target's allowed types.",
    "Change the target's limits, then send a new request.",
  ),
  TARGET_POSTING_LIMIT_EXCEEDED: reason(
    'FAILED_PRECONDITION',
    "The amount is above the target's limit for one posting.",
    "Transfer smaller amounts, or change the target's limits and send a new request.",
  ),
  TARGET_MAXIMUM_BALANCE_EXCEEDED: reason(
    'FAILED_PRECONDITION',
    "The target's balance would rise above its maximum.",
    "Transfer less, or change the target's limits and send a new request.",
  ),
  TARGET_REFUSED: reason(
    'FAILED_PRECONDITION',
    'The target of the transfer is of another capability, as a contest, and refused it. The amount is in the account again.',
    'See `target_reason` of the transfer.',
  ),
  TARGET_AMOUNT_OVERFLOW: reason('OUT_OF_RANGE', "The target's balance would leave the range of a signed 64-bit integer.", 'Transfer less.'),
  ALREADY_FROZEN: reason('FAILED_PRECONDITION', 'The account is frozen already.', 'Nothing to do.'),
  NOT_FROZEN: reason('FAILED_PRECONDITION', 'The account is not frozen.', 'Nothing to do.'),
  BATCH_ABORTED: reason(
    'ABORTED',
    'Another item of the atomic batch was refused, so this one was not done. That is recorded.',
    'Correct the refused item, then send the batch with new request ids.',
  ),
  BATCH_REFUSED: reason(
    'ABORTED',
    'Another item of the atomic batch was refused for a reason that is not recorded. Nothing was done, and nothing of the batch is recorded.',
    'Correct the refused item, then send the batch again; the request ids may stay.',
  ),
  TRANSFER_NOT_FOUND: reason('NOT_FOUND', 'The account has no transfer of this request id.', 'Check the debited account and the request id.'),
  ACCOUNT_NOT_OPEN_THEN: reason('NOT_FOUND', 'The account was not open yet at the time, sequence or business date asked for.', 'Ask for a later one.'),
  NO_BUSINESS_DATES: reason('FAILED_PRECONDITION', "The account's branch has no business dates.", 'Ask for a time or a sequence, or register the branch.'),
  DATE_NOT_CLOSED: reason('FAILED_PRECONDITION', 'The business date has not ended yet.', 'Ask for an earlier one, or wait for the end of day.'),
} satisfies Readonly<Record<string, ReasonDefinition>>;
