/** Start it, or ask what came so far. */
export type CollectorOrder = { readonly kind: 'start' } | { readonly kind: 'received' };

export interface CollectorAnswer {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT, with OTEL_EXPORTER_OTLP_PROTOCOL=grpc. */
  readonly endpoint: string;
  /** Exports of traces that came. */
  readonly exports: number;
}
