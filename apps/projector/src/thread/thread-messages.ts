/**
 * What the two ends of the link between the services' thread and the projector's say to each other. Every request has a
 * number; it is answered once, with reports before that where the work is long.
 */
import type { MessagePort } from 'node:worker_threads';
import type { CalendarDate } from '@sluice/domain/day';
import type { AggregateName, SetAside } from '@sluice/projections';
import type { AggregateReport, ProjectorStatus, RebuildProgress, VerificationProgress } from '../projector-control';
import type { FlushReport } from '../projector-observer';
import type { BlockedPartition } from '../unreadable-commit';
import type { DayVerdict } from '../verification/verify-day';

export type LinkRequest =
  | { readonly kind: 'status' }
  | { readonly kind: 'rebuild' }
  | { readonly kind: 'verifyAll' }
  | { readonly kind: 'verifyAggregate'; readonly projection: string; readonly name: AggregateName }
  | { readonly kind: 'verifyDay'; readonly branchId: string; readonly date: CalendarDate }
  | { readonly kind: 'stop' };

export type ToProjector =
  | { readonly kind: 'request'; readonly number: number; readonly request: LinkRequest }
  | { readonly kind: 'cancel'; readonly number: number };

export type LinkResult = ProjectorStatus | AggregateReport | DayVerdict | undefined;
export type LinkReport = RebuildProgress | VerificationProgress;

/** Errors travel by name; those that callers act on are made anew at the other end. */
export interface LinkError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** What the projector tells without being asked. */
export type LinkNotice =
  | { readonly kind: 'flushed'; readonly report: FlushReport }
  | { readonly kind: 'setAside'; readonly aside: SetAside }
  | { readonly kind: 'busCommitDiscarded'; readonly partition: number; readonly error: LinkError }
  | { readonly kind: 'blocked'; readonly blocked: BlockedPartition }
  | { readonly kind: 'unblocked'; readonly partition: number }
  | { readonly kind: 'trouble'; readonly partition: number; readonly what: string; readonly error: LinkError };

/** What the projector's thread is started with. */
export interface ProjectorThreadData {
  readonly logFile: string;
  readonly readFile: string;
  /** Reading end of the bus. */
  readonly busPort: MessagePort;
  readonly cachedAggregates: number | undefined;
}

export type FromProjector =
  | { readonly kind: 'started' }
  | { readonly kind: 'failed'; readonly error: LinkError }
  | { readonly kind: 'report'; readonly number: number; readonly report: LinkReport }
  | { readonly kind: 'done'; readonly number: number; readonly result: LinkResult }
  | { readonly kind: 'refused'; readonly number: number; readonly error: LinkError }
  | { readonly kind: 'notice'; readonly notice: LinkNotice };

export function linkError(error: unknown): LinkError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined };
  return { name: error.name, message: error.message, stack: error.stack };
}
