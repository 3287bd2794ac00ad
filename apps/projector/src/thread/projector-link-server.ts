/** The projector's end of the link: carries out what the other end asks, and tells it what happens. */
import type { MessagePort } from 'node:worker_threads';
import type { ProjectorControl } from '../projector-control';
import type { ProjectorObserver } from '../projector-observer';
import { type FromProjector, type LinkNotice, type LinkReport, type LinkRequest, type LinkResult, linkError, type ToProjector } from './thread-messages';

type Port = Pick<MessagePort, 'postMessage' | 'on'>;

export class ProjectorLinkServer {
  private readonly cancels = new Map<number, AbortController>();

  /** @param stop stops the projector and closes what it uses; the other end asked for it. */
  constructor(
    private readonly port: Port,
    private readonly control: ProjectorControl,
    private readonly stop: () => Promise<void>,
  ) {
    port.on('message', (message: ToProjector) => {
      if (message.kind === 'cancel') this.cancels.get(message.number)?.abort();
      else void this.answer(message.number, message.request);
    });
  }

  private async answer(number: number, request: LinkRequest): Promise<void> {
    const cancel = new AbortController();
    this.cancels.set(number, cancel);
    try {
      const result = await this.carryOut(number, request, cancel.signal);
      this.send({ kind: 'done', number, result });
    } catch (error) {
      this.send({ kind: 'refused', number, error: linkError(error) });
    } finally {
      this.cancels.delete(number);
    }
  }

  private async carryOut(number: number, request: LinkRequest, signal: AbortSignal): Promise<LinkResult> {
    const { control } = this;
    const report = (progress: LinkReport): void => this.send({ kind: 'report', number, report: progress });
    switch (request.kind) {
      case 'status':
        return control.status();
      case 'rebuild':
        await control.rebuild(report);
        return undefined;
      case 'verifyAll':
        await control.verifyAll(report, signal);
        return undefined;
      case 'verifyAggregate':
        return control.verifyAggregate(request.projection, request.name, signal);
      case 'verifyDay':
        return control.verifyDay(request.branchId, request.date, signal);
      case 'stop':
        await this.stop();
        return undefined;
      default:
        throw new Error(`unreachable: ${JSON.stringify(request satisfies never)}`);
    }
  }

  private send(message: FromProjector): void {
    this.port.postMessage(message);
  }
}

/** An observer that tells the other end. */
export function observerOver(port: Pick<MessagePort, 'postMessage'>): ProjectorObserver {
  const notify = (notice: LinkNotice): void => port.postMessage({ kind: 'notice', notice } satisfies FromProjector);
  return {
    flushed: (report) => notify({ kind: 'flushed', report }),
    setAside: (aside) => notify({ kind: 'setAside', aside }),
    busCommitDiscarded: (partition, error) => notify({ kind: 'busCommitDiscarded', partition, error: linkError(error) }),
    blocked: (blocked) => notify({ kind: 'blocked', blocked }),
    unblocked: (partition) => notify({ kind: 'unblocked', partition }),
    trouble: (partition, what, error) => notify({ kind: 'trouble', partition, what, error: linkError(error) }),
  };
}
