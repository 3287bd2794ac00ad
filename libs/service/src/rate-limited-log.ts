/** Log lines about something that may happen with every call: the first is written at once, then one a minute for each kind. */
import type { Clock } from '@sluice/ports';
import type { Logger } from '@sluice/telemetry';

const INTERVAL_MS = 60_000;
/** Kinds may be made of addresses: beyond so many the oldest is forgotten and its next line is written at once. */
const MAXIMUM_KINDS = 1_000;

interface Kind {
  nextMs: number;
  unwritten: number;
}

export class RateLimitedLog {
  private readonly kinds = new Map<string, Kind>();

  constructor(
    private readonly logger: Pick<Logger, 'warn' | 'error'>,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
  ) {}

  warn(kind: string, fields: object, message: string): void {
    this.write('warn', kind, fields, message);
  }

  error(kind: string, fields: object, message: string): void {
    this.write('error', kind, fields, message);
  }

  private write(level: 'warn' | 'error', kind: string, fields: object, message: string): void {
    const nowMs = this.clock.monotonicMs();
    const known = this.kinds.get(kind);
    if (known !== undefined && nowMs < known.nextMs) {
      known.unwritten += 1;
      return;
    }
    this.kinds.delete(kind);
    this.kinds.set(kind, { nextMs: nowMs + INTERVAL_MS, unwritten: 0 });
    if (this.kinds.size > MAXIMUM_KINDS) this.kinds.delete(this.kinds.keys().next().value as string);
    this.logger[level](known === undefined || known.unwritten === 0 ? fields : { ...fields, times: known.unwritten + 1 }, message);
  }
}
