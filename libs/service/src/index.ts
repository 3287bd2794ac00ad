export { type Authenticator } from './admission';
export { keptBackMs, RecentLateness } from './answer-time';
export { CallContext, GatheredCall, LocalCall } from './call-context';
export { checkText } from './checked-text';
export { connectedPeer, inProcessPeer, peersOnly, type PeerAnswerListener, type PeerCalls } from './peers/peer-calls';
export { type PeerChannels, PeerConnections, type PeerOptions, type PeerRequest, type PeerTransport } from './peers/peer-connections';
export { type CapabilityMetrics, capabilityMetrics } from './capability-metrics';
export * from './caller';
export { tracingInterceptor } from './client-tracing';
export { type ForwardedCall, HopProof } from './hop-proof';
export {
  bidi,
  type BidiFunction,
  functionOf,
  type Send,
  type ServiceFunction,
  serverStream,
  type ServerStreamFunction,
  unary,
  type UnaryFunction,
} from './handlers';
export * from './listen-address';
export { OpenedParts } from './opened-parts';
export { RateLimitedLog } from './rate-limited-log';
export type { RateLimit } from './rate-limit';
export * from './reasons';
export { nextRound } from './round-budget';
export * from './server';
export * from './readiness';
export * from './service-runtime';
export * from './sluice-error';
export { DEFAULT_MAXIMUM_MESSAGE_BYTES, PEER_MESSAGE_BYTES } from './transport';
export { CONFIGURATION_EXIT_CODE, ConfigurationError, loadConfiguration, partitionsOf, shownConfiguration } from './config/config';
export { natsOptionsOf } from './config/nats-options';
export { serverOptionsOf } from './config/server-options';
export { type CapabilitySettings, type Configuration, environmentName, SETTINGS, type SettingName } from './config/settings';
export { openSecurity, type Security } from './security/security';
export { UnusableFileError } from './security/unusable-file-error';
export { WELL_KNOWN_PORTS } from './config/well-known-ports';
export { runHealthProbe } from './health-probe/probe-program';
