export { withoutCredentials } from './external-server';
export { freePort } from './free-port';
export { findGrpcurl } from './grpcurl';
export { haveServer } from './have-server';
export { findMongo, startMongo, type MongoServerOptions } from './mongo-server';
export { findNats, startNats, type NatsServerOptions } from './nats-server';
export { ServerNotFoundError, type RunningServer, type ServerKind, type ServerOptions } from './running-server';
