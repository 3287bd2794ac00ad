/** All services in one process, for tests and tools that need a whole Sluice; the command line is main.ts. */
export { runCli } from './cli';
export { type EmbeddedServer, startEmbedded } from './serve/embedded';
export { configurationFor } from './serve/configuration';
