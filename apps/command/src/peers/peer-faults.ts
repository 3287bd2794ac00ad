/** Log lines about peers that refuse this instance or cannot be reached, and what the operator must change. */
import type { RateLimitedLog } from '@sluice/service';
import type { HopFailure } from './peer-answer';

/** What grpc-js and OpenSSL say when certificates are at fault. */
const OF_CERTIFICATES = /certificate|self-signed|altname|ssl|tls|wrong version number|unable to (get|verify)/i;

export function reportFault(log: RateLimitedLog, address: string, failure: HopFailure): void {
  switch (failure.kind) {
    case 'untrusted':
      log.error(
        `untrusted ${address}`,
        { peer: address, answer: failure.message },
        'another instance does not take this one for a peer: give SLUICE_PEER_TOKEN a token with the role "peer" in the SLUICE_AUTH_FILE of all instances, and all of them the same SLUICE_KEYRING_SECRET and SLUICE_DEPLOYMENT',
      );
      return;
    case 'unreachable':
      if (OF_CERTIFICATES.test(failure.message)) {
        log.error(
          `certificates ${address}`,
          { peer: address, cause: failure.message },
          'another instance cannot be called by TLS: SLUICE_PEER_CA must name the authority of the certificates of all instances, each certificate the host of its SLUICE_ADVERTISED_ADDRESS, and with SLUICE_TLS_CA every certificate must be of that authority',
        );
      } else log.warn(`unreachable ${address}`, { peer: address, cause: failure.message }, 'another instance does not answer');
      return;
    case 'refused':
    case 'notOwner':
    case 'unavailable':
      return;
    default:
      failure satisfies never;
  }
}
