/**
 * A gRPC server on a free port whose answers a test writes itself: failures that a real server gives only now and then can
 * be had at will, and in order.
 */
import { Metadata, Server, ServerCredentials, type ServiceError, type status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { logpb, rpcpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { businessdaypb } from '@sluice/protocol/businessday';
import { contestpb } from '@sluice/protocol/contest';
import { reservationpb } from '@sluice/protocol/reservation';

export interface ScriptedServices {
  readonly target: string;
  stop(): void;
}

export interface Script {
  readonly commands?: Partial<accountpb.AccountCommandServiceServer>;
  readonly queries?: Partial<accountpb.AccountQueryServiceServer>;
  readonly businessDayCommands?: Partial<businessdaypb.BusinessDayCommandServiceServer>;
  readonly businessDayQueries?: Partial<businessdaypb.BusinessDayQueryServiceServer>;
  readonly productCommands?: Partial<businessdaypb.ProductCommandServiceServer>;
  readonly productQueries?: Partial<businessdaypb.ProductQueryServiceServer>;
  readonly contestCommands?: Partial<contestpb.ContestCommandServiceServer>;
  readonly reservationCommands?: Partial<reservationpb.ReservationCommandServiceServer>;
  readonly reservationQueries?: Partial<reservationpb.ReservationQueryServiceServer>;
  readonly log?: Partial<logpb.LogServiceServer>;
}

export async function startScriptedServices(script: Script, port = 0): Promise<ScriptedServices> {
  const server = new Server();
  // What the script leaves out is answered UNIMPLEMENTED by grpc-js.
  server.addService(accountpb.AccountCommandServiceService, (script.commands ?? {}) as UntypedServiceImplementation);
  server.addService(accountpb.AccountQueryServiceService, (script.queries ?? {}) as UntypedServiceImplementation);
  server.addService(businessdaypb.BusinessDayCommandServiceService, (script.businessDayCommands ?? {}) as UntypedServiceImplementation);
  server.addService(businessdaypb.BusinessDayQueryServiceService, (script.businessDayQueries ?? {}) as UntypedServiceImplementation);
  server.addService(businessdaypb.ProductCommandServiceService, (script.productCommands ?? {}) as UntypedServiceImplementation);
  server.addService(businessdaypb.ProductQueryServiceService, (script.productQueries ?? {}) as UntypedServiceImplementation);
  server.addService(contestpb.ContestCommandServiceService, (script.contestCommands ?? {}) as UntypedServiceImplementation);
  server.addService(reservationpb.ReservationCommandServiceService, (script.reservationCommands ?? {}) as UntypedServiceImplementation);
  server.addService(reservationpb.ReservationQueryServiceService, (script.reservationQueries ?? {}) as UntypedServiceImplementation);
  server.addService(logpb.LogServiceService, (script.log ?? {}) as UntypedServiceImplementation);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, boundPort) => {
      if (error === null) resolve(boundPort);
      else reject(error);
    });
  });
  return { target: `127.0.0.1:${bound}`, stop: () => server.forceShutdown() };
}

/** An error as the services send it: canonical code, message, and the reason as google.rpc.ErrorInfo. */
export function grpcError(code: status, reason: string, message = reason): Partial<ServiceError> {
  const info = rpcpb.ErrorInfo.encode({ reason, domain: 'sluice', metadata: { account_id: 'a' } }).finish();
  const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: Buffer.from(info) }];
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(rpcpb.Status.encode({ code, message, details }).finish()));
  return { code, details: message, metadata };
}

/** An accepted item. */
export function accepted(balanceAfterMinor: bigint): accountpb.PostingResult {
  return { balanceAfterMinor, heldAfterMinor: 0n, entryNumber: 1n, repeated: false, error: undefined };
}

/** A refused item. */
export function refused(code: status, reason: string, balanceAfterMinor = 0n): accountpb.PostingResult {
  return { balanceAfterMinor, heldAfterMinor: 0n, entryNumber: 0n, repeated: false, error: { code, reason, message: `refused: ${reason}` } };
}
