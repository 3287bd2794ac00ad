/** The gRPC server as the configuration wants it; who else is known (certificates, callers) is added by who starts it. */
import { systemClock } from '@sluice/ports';
import type { ServerOptions } from '../server';
import type { Configuration } from './settings';

/** @param defaultPort where nothing is said. */
export function serverOptionsOf(configuration: Configuration, defaultPort: number): ServerOptions {
  const { host, port = defaultPort, insecure, maxMessageBytes, maxConnections, maxStreamsPerConnection, maxCalls } = configuration;
  const { rateLimitPerSecond: perSecond, rateLimitBurst: burst = perSecond } = configuration;
  const rateLimit = perSecond === 0 ? undefined : { perSecond, burst, clock: systemClock };
  return { host, port, insecure, maxMessageBytes, maxConnections, maxStreamsPerConnection, maxCalls, rateLimit };
}
