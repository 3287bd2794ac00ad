/**
 * JSON logs, one object a line: time, level, service, message, and the ids of the trace that the line belongs to, so that
 * a line leads to its trace and back. Every line passes the redaction on its way out.
 */
import { trace } from '@opentelemetry/api';
import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino';
import { redact, redactedPaths } from './redaction';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & { child(bindings: Record<string, unknown>): Logger };

export interface LoggerOptions {
  /** Which service speaks, like "command". */
  readonly service: string;
  readonly level?: LogLevel;
  /** Default: standard error, so that what a command prints on standard output stays its own. */
  readonly destination?: DestinationStream;
}

export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      errorKey: 'error',
      redact: { paths: [...redactedPaths], censor: '[redacted]' },
      mixin: traceIds,
      hooks: { streamWrite: redact },
    },
    options.destination ?? pino.destination({ dest: 2, sync: true }),
  );
}

/** A logger that says nothing; for tests and for libraries whose caller gives none. */
export const silentLogger: Logger = pino({ level: 'silent' });

function traceIds(): Record<string, string> {
  const context = trace.getActiveSpan()?.spanContext();
  return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId };
}
