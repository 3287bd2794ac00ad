export * as accountpb from './generated/index.sluice.account.v1';
export * as logpb from './generated/index.sluice.log.v1';
export * as projectionpb from './generated/index.sluice.projection.v1';
export * as schedulerpb from './generated/index.sluice.scheduler.v1';
export * as rpcpb from './generated/index.google.rpc';
