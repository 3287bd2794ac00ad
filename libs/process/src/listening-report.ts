/**
 * What a process tells whoever started it over an IPC channel (a supervisor, a test): where it listens, because its port may
 * be any free one. Without such a channel nobody is told; the log has the same line.
 */
export const LISTENING = 'listening';

export interface ListeningReport {
  readonly kind: typeof LISTENING;
  /** HOST:PORT of the gRPC server. */
  readonly address: string;
  /** URL of the Prometheus endpoint. */
  readonly metricsUrl: string | undefined;
}

export function reportListening(report: Omit<ListeningReport, 'kind'>): void {
  if (process.connected) process.send?.({ kind: LISTENING, ...report } satisfies ListeningReport);
}
