/**
 * Commands other than postings, from protos to items that a partition can decide: shape checks, ids of keys, digests of bodies.
 */
import { NO_LIMITS, type AccountCommand } from '@sluice/domain/account';
import { keyedHash, lastHash, requestHash, type HashSeeds } from '@sluice/engine';
import { accountKey, type AccountKey } from '@sluice/ports';
import { MAXIMUM_ID_BYTES, MAXIMUM_UNIT_BYTES } from '@sluice/protocol';
import { OUTCOME_NONE, type accountpb } from '@sluice/protocol/account';
import { checkText, invalidRequest } from '@sluice/service';
import { limitsFromProto } from './account-events';
import { digestCommand } from './command-digest';
import type { AccountCommandItem } from './command-submission';

const MAXIMUM_NOTE_BYTES = 256;
const MINIMUM_KEY_BYTES = 16;
const MAXIMUM_KEY_BYTES = 64;
const MAXIMUM_ALLOWED_TYPES = 5;

/** A command, and the signing key that it names by its id; undefined: it names none. */
export interface KeyedCommand<Command extends AccountCommand = AccountCommand> {
  readonly command: Command;
  readonly signingKey?: AccountKey | undefined;
}

export function itemOf(seeds: HashSeeds, requestId: string, accountId: string, { command, signingKey }: KeyedCommand): AccountCommandItem {
  const accountIdBytes = Buffer.from(accountId, 'utf8');
  const requestIdBytes = Buffer.from(requestId, 'utf8');
  const accountHash = keyedHash(seeds, accountIdBytes, 0, accountIdBytes.length);
  requestHash(seeds, accountHash, requestIdBytes, 0, requestIdBytes.length);
  const { digest, length } = digestCommand(command);
  return {
    requestId,
    accountId,
    accountIdBytes,
    accountHash,
    hashFirst: lastHash.first,
    hashSecond: lastHash.second,
    command,
    bodyDigest: digest,
    signingKey,
    sizeBytes: length + requestIdBytes.length + (signingKey?.key.length ?? 0),
    outcome: OUTCOME_NONE,
    repeated: false,
  };
}

/** Checks the shape of an opening; throws INVALID_REQUEST naming the field. */
export function openingOf(opening: accountpb.AccountOpening | undefined, at: string): KeyedCommand<AccountCommand & { kind: 'open' }> {
  if (opening === undefined) throw invalidRequest(at, 'is missing');
  checkId(opening.requestId, `${at}.request_id`);
  checkId(opening.accountId, `${at}.account_id`);
  checkText(opening.unit, `${at}.unit`, 1, MAXIMUM_UNIT_BYTES);
  checkText(opening.branchId, `${at}.branch_id`, 0, MAXIMUM_ID_BYTES);
  checkText(opening.product, `${at}.product`, 0, MAXIMUM_ID_BYTES);
  checkLinkedAccount(opening.linkedAccountId, opening.accountId, `${at}.linked_account_id`);
  checkLimits(opening.limits, `${at}.limits`);
  checkKey(opening.signingKey, `${at}.signing_key`);
  const signingKey = keyOf(opening.accountId, opening.signingKey);
  const command = {
    kind: 'open' as const,
    accountId: opening.accountId,
    unit: opening.unit,
    branchId: opening.branchId,
    product: opening.product,
    limits: opening.limits === undefined ? NO_LIMITS : limitsFromProto(opening.limits),
    signingKeyId: signingKey?.keyId ?? '',
    linkedAccountId: opening.linkedAccountId,
  };
  return { command, signingKey };
}

export function updateOf(request: accountpb.UpdateAccountRequest): KeyedCommand {
  checkIds(request);
  checkLimits(request.limits, 'limits');
  if (request.product !== undefined) checkText(request.product, 'product', 0, MAXIMUM_ID_BYTES);
  if (request.signingKey !== undefined) checkKey(request.signingKey, 'signing_key');
  if (request.linkedAccountId !== undefined) checkLinkedAccount(request.linkedAccountId, request.accountId, 'linked_account_id');
  if (request.limits === undefined && request.product === undefined && request.signingKey === undefined && request.linkedAccountId === undefined) {
    throw invalidRequest('limits', 'product, signing_key and linked_account_id are all unset: there is nothing to change');
  }
  const signingKey = request.signingKey && keyOf(request.accountId, request.signingKey);
  const command: AccountCommand = {
    kind: 'update',
    ...(request.limits === undefined ? undefined : { limits: limitsFromProto(request.limits) }),
    ...(request.product === undefined ? undefined : { product: request.product }),
    ...(request.signingKey === undefined ? undefined : { signingKeyId: signingKey?.keyId ?? '' }),
    ...(request.linkedAccountId === undefined ? undefined : { linkedAccountId: request.linkedAccountId }),
  };
  return { command, signingKey };
}

/** An empty key is none: postings are not signed. */
function keyOf(accountId: string, key: Uint8Array): AccountKey | undefined {
  return key.length === 0 ? undefined : accountKey(accountId, key);
}

export function statusChangeOf(kind: 'freeze' | 'unfreeze' | 'close', request: { requestId: string; accountId: string; note: string }): KeyedCommand {
  checkIds(request);
  checkText(request.note, 'note', 0, MAXIMUM_NOTE_BYTES);
  return { command: { kind, note: request.note } };
}

function checkIds(request: { requestId: string; accountId: string }): void {
  checkId(request.requestId, 'request_id');
  checkId(request.accountId, 'account_id');
}

function checkId(id: string, field: string): void {
  checkText(id, field, 1, MAXIMUM_ID_BYTES);
}

/** It may be opened later. */
function checkLinkedAccount(linkedAccountId: string, accountId: string, field: string): void {
  checkText(linkedAccountId, field, 0, MAXIMUM_ID_BYTES);
  if (linkedAccountId === accountId) throw invalidRequest(field, 'is the account itself');
}

function checkKey(key: Uint8Array, field: string): void {
  if (key.length !== 0 && (key.length < MINIMUM_KEY_BYTES || key.length > MAXIMUM_KEY_BYTES)) {
    throw invalidRequest(field, `must have ${MINIMUM_KEY_BYTES} to ${MAXIMUM_KEY_BYTES} bytes`);
  }
}

function checkLimits(limits: accountpb.AccountLimits | undefined, field: string): void {
  if (limits === undefined) return;
  if (limits.overdraftMinor < 0n) throw invalidRequest(`${field}.overdraft_minor`, 'is below 0');
  if (limits.maximumPostingMinor !== undefined && limits.maximumPostingMinor <= 0n) throw invalidRequest(`${field}.maximum_posting_minor`, 'must be above 0');
  if (limits.allowedTypes.length > MAXIMUM_ALLOWED_TYPES || limits.allowedTypes.some((type) => type < 1 || type > MAXIMUM_ALLOWED_TYPES)) {
    throw invalidRequest(`${field}.allowed_types`, 'names a type that does not exist, or one twice');
  }
}
