/** The projector: turns commits into the rows that queries answer from, and compares the two. */
export type { LagPercentiles } from './lag-window';
export { Projector, type ProjectorOptions } from './projector';
export * from './projector-control';
export { type FlushReport, type ProjectorObserver, SILENT_PROJECTOR_OBSERVER } from './projector-observer';
export { type ProjectorRuntime, startProjector } from './start-projector';
export { type ProjectorThreadOptions, startProjectorThread } from './thread/start-projector-thread';
