/** Requests of command instances and schedulers to command instances, over the simulated network. */
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { type PeerChannels, statusOf } from '@sluice/service';
import type { Life } from './life';
import { CallFailed } from './call-failed';
import type { Network } from './network';
import { Departure } from './served-call';

export function peerTransport(life: Life, network: Network): PeerChannels {
  return {
    send: (address, { path, bytes, forwarded, deadlineMs }, done) => {
      const departure = new Departure();
      const limitMs = Math.max(0, deadlineMs - Date.now());
      network.call(life, address, path, bytes, { limitMs, forwardedTo: forwarded.partition, departure }).then(
        (response) => done(null, response),
        (error: unknown) => done(asServiceError(error)),
      );
      return { cancel: () => departure.tell() };
    },
    stream: (address, { path, bytes, forwarded }, { message, ended }) =>
      network.stream(life, address, { path, bytes, forwardedTo: forwarded.partition }, { message, ended: (error) => ended(error && asServiceError(error)) }),
    close: () => undefined,
  };
}

/** What grpc-js rejects with. */
export function asServiceError(error: unknown): ServiceError {
  if (!(error instanceof CallFailed)) throw error;
  const { refusal, code, message } = error;
  if (refusal === undefined) {
    const grpcCode = code === 'DEADLINE_EXCEEDED' ? status.DEADLINE_EXCEEDED : status.UNAVAILABLE;
    return Object.assign(new Error(message), { code: grpcCode, details: message, metadata: new Metadata() });
  }
  const { code: grpcCode, details, metadata } = statusOf(refusal);
  return Object.assign(new Error(message), { code: grpcCode, details: details ?? message, metadata: metadata ?? new Metadata() });
}
