/**
 * Postings to the messages that travel. Apart from the types, so that the published types name nothing of the protocol.
 */
import { randomUUID } from 'node:crypto';
import { accountpb, signPosting } from '@sluice/protocol/account';
import { POSTING_TYPES, type PostingInput, type PostingType } from './posting';

const TYPE_TO_WIRE: Readonly<Record<PostingType, accountpb.PostingType>> = {
  CREDIT: accountpb.PostingType.POSTING_TYPE_CREDIT,
  DEBIT: accountpb.PostingType.POSTING_TYPE_DEBIT,
  HOLD: accountpb.PostingType.POSTING_TYPE_HOLD,
  CAPTURE: accountpb.PostingType.POSTING_TYPE_CAPTURE,
  RELEASE: accountpb.PostingType.POSTING_TYPE_RELEASE,
};

const TYPE_FROM_WIRE: ReadonlyMap<accountpb.PostingType, PostingType> = new Map(POSTING_TYPES.map((type) => [TYPE_TO_WIRE[type], type]));

export function postingTypeToWire(type: PostingType): accountpb.PostingType {
  // A caller without types may pass anything; the server names what it does not know.
  return TYPE_TO_WIRE[type] ?? accountpb.PostingType.POSTING_TYPE_UNSPECIFIED;
}

/** Undefined: a type that this version of the library does not know. */
export function postingTypeFromWire(type: accountpb.PostingType): PostingType | undefined {
  return TYPE_FROM_WIRE.get(type);
}

const NO_BYTES = Buffer.alloc(0);

/** The message that travels: the request id is made, and the signature set, where they are wanted. */
export function postingToWire(input: PostingInput): accountpb.Posting {
  const posting: accountpb.Posting = {
    requestId: input.requestId ?? randomUUID(),
    accountId: input.accountId,
    type: postingTypeToWire(input.type),
    amountMinor: input.amountMinor,
    unit: input.unit,
    holdId: input.holdId ?? '',
    final: input.final ?? false,
    counterparty: input.counterparty ?? '',
    channel: input.channel ?? '',
    initiatedDate: input.initiatedDate ?? '',
    metadata: input.metadata === undefined ? {} : { ...input.metadata },
    signature: NO_BYTES,
    signedAtUs: 0n,
    toAccountId: '',
    fromAccountId: '',
    expiresAtUs: input.expiresAt === undefined ? 0n : BigInt(input.expiresAt.getTime()) * 1_000n,
    expiresAfterMs: BigInt(input.expiresAfterMs ?? 0),
    holdExpired: false,
    funds: false,
    toCapability: '',
    order: Buffer.alloc(0),
    interest: false,
  };
  if (input.signingKey !== undefined) {
    posting.signedAtUs = BigInt(Date.now()) * 1_000n;
    posting.signature = signPosting(input.signingKey, { ...posting, typeName: input.type });
  }
  return posting;
}

/** About as many bytes as it takes on the wire, never less than the texts in it. */
export function postingSizeBytes(posting: accountpb.Posting): number {
  const FIXED_FIELDS_BYTES = 80;
  let size = FIXED_FIELDS_BYTES + Buffer.byteLength(posting.requestId) + Buffer.byteLength(posting.accountId) + Buffer.byteLength(posting.unit);
  size += Buffer.byteLength(posting.holdId) + Buffer.byteLength(posting.counterparty) + Buffer.byteLength(posting.channel) + posting.signature.length;
  for (const key in posting.metadata) size += 8 + Buffer.byteLength(key) + Buffer.byteLength(posting.metadata[key] ?? '');
  return size;
}
