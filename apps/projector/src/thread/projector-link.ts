/** The services' end of the link: a projector that runs in another thread, used like one in this. */
import type { CalendarDate } from '@sluice/domain/day';
import type { AggregateName } from '@sluice/projections';
import {
  type AggregateReport,
  ProjectionBehindError,
  type ProjectorControl,
  type ProjectorStatus,
  RebuildRunningError,
  type RebuildProgress,
  type Report,
  UnknownAggregateError,
  type VerificationProgress,
} from '../projector-control';
import type { ProjectorObserver } from '../projector-observer';
import type { DayVerdict } from '../verification/verify-day';
import type { FromProjector, LinkError, LinkNotice, LinkReport, LinkRequest, LinkResult, ToProjector } from './thread-messages';

/** A worker, or a port to one. */
interface Port {
  postMessage(message: ToProjector): void;
  on(event: 'message', listener: (message: FromProjector) => void): unknown;
}

interface OpenRequest {
  readonly request: LinkRequest;
  readonly report: Report<LinkReport>;
  readonly resolve: (result: LinkResult) => void;
  readonly reject: (error: Error) => void;
}

export class ProjectorLink implements ProjectorControl {
  private readonly open = new Map<number, OpenRequest>();
  private count = 0;
  private ended: Error | undefined;

  constructor(
    private readonly port: Port,
    private readonly observer: ProjectorObserver,
  ) {
    port.on('message', (message) => this.receive(message));
  }

  async status(): Promise<ProjectorStatus> {
    return (await this.ask({ kind: 'status' })) as ProjectorStatus;
  }

  async rebuild(report: Report<RebuildProgress>): Promise<void> {
    await this.ask({ kind: 'rebuild' }, report as Report<LinkReport>);
  }

  async verifyAll(report: Report<VerificationProgress>, signal: AbortSignal): Promise<void> {
    await this.ask({ kind: 'verifyAll' }, report as Report<LinkReport>, signal);
  }

  async verifyAggregate(projection: string, name: AggregateName, signal: AbortSignal): Promise<AggregateReport> {
    return (await this.ask({ kind: 'verifyAggregate', projection, name }, undefined, signal)) as AggregateReport;
  }

  async verifyDay(branchId: string, date: CalendarDate, signal: AbortSignal): Promise<DayVerdict> {
    return (await this.ask({ kind: 'verifyDay', branchId, date }, undefined, signal)) as DayVerdict;
  }

  async stop(): Promise<void> {
    if (this.ended === undefined) await this.ask({ kind: 'stop' });
  }

  /** The other end is gone: whoever waits is told. */
  end(error: Error): void {
    this.ended ??= error;
    for (const request of this.open.values()) request.reject(error);
    this.open.clear();
  }

  private ask(request: LinkRequest, report: Report<LinkReport> = () => undefined, signal?: AbortSignal): Promise<LinkResult> {
    if (this.ended !== undefined) return Promise.reject(this.ended);
    this.count += 1;
    const number = this.count;
    const cancel = (): void => this.send({ kind: 'cancel', number });
    const answered = new Promise<LinkResult>((resolve, reject) => {
      this.open.set(number, { request, report, resolve, reject });
    });
    this.send({ kind: 'request', number, request });
    if (signal?.aborted === true) cancel();
    signal?.addEventListener('abort', cancel);
    return answered
      .catch((error: unknown) => {
        signal?.throwIfAborted();
        throw error;
      })
      .finally(() => signal?.removeEventListener('abort', cancel));
  }

  private receive(message: FromProjector): void {
    switch (message.kind) {
      case 'started':
      case 'failed':
        // Whoever started the thread listens for these.
        return;
      case 'notice':
        return this.tell(message.notice);
      case 'report':
        return this.open.get(message.number)?.report(message.report);
      case 'done':
        this.take(message.number)?.resolve(message.result);
        return;
      case 'refused': {
        const asked = this.take(message.number);
        asked?.reject(errorOf(message.error, asked.request));
        return;
      }
      default:
        throw new Error(`unreachable: ${JSON.stringify(message satisfies never)}`);
    }
  }

  private take(number: number): OpenRequest | undefined {
    const request = this.open.get(number);
    this.open.delete(number);
    return request;
  }

  private tell(notice: LinkNotice): void {
    switch (notice.kind) {
      case 'flushed':
        return this.observer.flushed(notice.report);
      case 'setAside':
        return this.observer.setAside(notice.aside);
      case 'busCommitDiscarded':
        return this.observer.busCommitDiscarded(notice.partition, errorOf(notice.error));
      case 'blocked':
        return this.observer.blocked(notice.blocked);
      case 'unblocked':
        return this.observer.unblocked(notice.partition);
      case 'trouble':
        return this.observer.trouble(notice.partition, notice.what, errorOf(notice.error));
      default:
        throw new Error(`unreachable: ${JSON.stringify(notice satisfies never)}`);
    }
  }

  private send(message: ToProjector): void {
    this.port.postMessage(message);
  }
}

/** The error as it was thrown at the other end; those that callers act on have their classes again. */
export function errorOf({ name, message, stack }: LinkError, request?: LinkRequest): Error {
  switch (name) {
    case 'RebuildRunningError':
      return new RebuildRunningError();
    case 'ProjectionBehindError':
      return new ProjectionBehindError(message);
    case 'UnknownAggregateError': {
      const { aggregate, key } = request?.kind === 'verifyAggregate' ? request.name : { aggregate: '', key: '' };
      return new UnknownAggregateError(aggregate, key);
    }
    default: {
      const error = new Error(message);
      error.name = name;
      if (stack !== undefined) error.stack = stack;
      return error;
    }
  }
}
