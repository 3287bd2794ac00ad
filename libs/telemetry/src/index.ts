export * from './logger';
export * from './metrics';
export * from './observers';
export * from './otlp-receiver';
export * from './redaction';
export * from './telemetry';
export * from './tracing';
