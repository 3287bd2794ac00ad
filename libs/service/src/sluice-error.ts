/**
 * What a handler throws to refuse a call, and how it travels: a canonical gRPC code, a message for people, and a
 * google.rpc.ErrorInfo (reason, domain "sluice", metadata) for programs, in `grpc-status-details-bin`.
 */
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { rpcpb } from '@sluice/protocol';
import { codeOfReason, type Reason, REASONS } from './reasons';

export const ERROR_DOMAIN = 'sluice';
export const STATUS_DETAILS_KEY = 'grpc-status-details-bin';
const ERROR_INFO_TYPE = 'type.googleapis.com/google.rpc.ErrorInfo';
/** Statuses travel as HTTP/2 headers, which peers bound at 8 to 16 KiB, and a caller gets no answer at all beyond: longer texts are cut. */
const MAXIMUM_MESSAGE_LENGTH = 1_024;

export class SluiceError extends Error {
  /** The code must be the one that the registry gives the reason; another is a programmer's error and throws. */
  constructor(
    readonly code: status,
    readonly reason: Reason,
    message: string,
    readonly metadata: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'SluiceError';
    if (codeOfReason(reason) !== code) throw new Error(`${reason} has code ${status[codeOfReason(reason)]}, not ${status[code]}`);
  }
}

/** The error of a reason; the code is the registry's. Without a message it says when the reason happens. */
export function refusal(reason: Reason, message: string = REASONS[reason].when, metadata?: Readonly<Record<string, string>>): SluiceError {
  return new SluiceError(codeOfReason(reason), reason, message, metadata);
}

/** The shape of the request is wrong; `field` is the path of the field, like "postings[3].amount_minor". */
export function invalidRequest(field: string, problem: string): SluiceError {
  return refusal('INVALID_REQUEST', `${field} ${problem}`, { field });
}

/** What goes over the wire for it. */
export function statusOf(error: SluiceError): StatusObject {
  return { code: error.code, details: cut(error.message), metadata: detailsMetadata(error.code, cut(error.message), error.reason, error.metadata) };
}

export function detailsMetadata(code: status, message: string, reason: Reason, metadata: Readonly<Record<string, string>>): Metadata {
  const texts = Object.fromEntries(Object.entries(metadata).map(([name, text]) => [name, cut(text)]));
  const info = rpcpb.ErrorInfo.encode({ reason, domain: ERROR_DOMAIN, metadata: texts }).finish();
  const details = rpcpb.Status.encode({ code, message, details: [{ typeUrl: ERROR_INFO_TYPE, value: Buffer.from(info) }] }).finish();
  const trailers = new Metadata();
  trailers.set(STATUS_DETAILS_KEY, Buffer.from(details));
  return trailers;
}

export interface ErrorInfo {
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The ErrorInfo in a status or error that came over the wire; undefined where there is none of ours. */
export function errorInfoOf(error: { readonly metadata?: Metadata | null }): ErrorInfo | undefined {
  const [bytes] = error.metadata?.get(STATUS_DETAILS_KEY) ?? [];
  if (!Buffer.isBuffer(bytes)) return undefined;
  for (const detail of rpcpb.Status.decode(bytes).details) {
    if (detail.typeUrl !== ERROR_INFO_TYPE) continue;
    const { reason, domain, metadata } = rpcpb.ErrorInfo.decode(detail.value);
    if (domain === ERROR_DOMAIN) return { reason, metadata };
  }
  return undefined;
}

function cut(text: string): string {
  return text.length <= MAXIMUM_MESSAGE_LENGTH ? text : `${text.slice(0, MAXIMUM_MESSAGE_LENGTH - 1)}…`;
}
