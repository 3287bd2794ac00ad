/**
 * What the configuration says about security, put together: how a server shows itself, whom it lets in, and how this
 * instance shows itself to its peers.
 */
import { readFile } from 'node:fs/promises';
import { type ChannelCredentials, credentials, experimental } from '@grpc/grpc-js';
import type { Clock } from '@sluice/ports';
import type { Logger } from '@sluice/telemetry';
import type { Configuration } from '../config/settings';
import { HopProof } from '../hop-proof';
import type { ServerOptions } from '../server';
import { Authentication } from './authentication';
import { KnownCallers } from './known-callers';
import { openServerCertificates } from './server-certificates';
import { WatchedFiles } from './watched-files';
import { WebTokens } from './web-tokens';

const PEER_REFRESH_MS = 5_000;

export interface Security {
  /** To be spread over what `serverOptionsOf` gives. */
  readonly server: Pick<ServerOptions, 'authenticator' | 'credentials' | 'hopProof'>;
  /** How this instance calls the others. */
  readonly peer: { readonly credentials?: ChannelCredentials; readonly token?: string; readonly proof?: HopProof };
  /** Stops watching the files. */
  close(): void;
}

/** Rejects with UnusableFileError. */
export async function openSecurity(configuration: Configuration, clock: Clock, logger: Logger): Promise<Security> {
  const open: { close(): void }[] = [];
  try {
    const certificates = await openCertificates(configuration, clock, logger);
    if (certificates !== undefined) open.push(certificates);
    const knownCallers = await openKnownCallers(configuration, clock, logger);
    if (knownCallers !== undefined) open.push(knownCallers);
    const webTokens = await openWebTokens(configuration, clock);
    const proof = await hopProofOf(configuration);
    const authenticates = knownCallers !== undefined || webTokens !== undefined;
    return {
      server: {
        credentials: certificates?.credentials,
        authenticator: authenticates ? new Authentication(() => knownCallers?.value ?? KnownCallers.none, webTokens) : undefined,
        hopProof: proof,
      },
      peer: { credentials: await peerCredentials(configuration), token: configuration.peerToken, proof },
      close: () => open.forEach((part) => part.close()),
    };
  } catch (error) {
    for (const part of open) part.close();
    throw error;
  }
}

async function openCertificates({ tlsCert, tlsKey, tlsCa, tlsClientCert }: Configuration, clock: Clock, logger: Logger) {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return openServerCertificates({ certificate: tlsCert, key: tlsKey, clientAuthority: tlsCa, clientCertificate: tlsClientCert }, clock, logger);
}

async function openKnownCallers({ authFile }: Configuration, clock: Clock, logger: Logger) {
  if (authFile === undefined) return undefined;
  return WatchedFiles.open({ paths: [authFile], parse: ([content]) => KnownCallers.parse(String(content), authFile), clock, logger });
}

async function openWebTokens({ authJwks, authIssuer, authAudience, authRolesClaim }: Configuration, clock: Clock) {
  if (authJwks === undefined || authIssuer === undefined || authAudience === undefined) return undefined;
  return WebTokens.open({ keys: authJwks, issuer: authIssuer, audience: authAudience, rolesClaim: authRolesClaim }, clock);
}

async function hopProofOf({ keyringSecret, deployment }: Configuration): Promise<HopProof | undefined> {
  return keyringSecret === undefined ? undefined : HopProof.derive(keyringSecret, deployment);
}

/** Peers have certificates of the same authority; this instance shows its own where they ask. Read again when they change. */
async function peerCredentials({ tlsCert, tlsKey, tlsCa }: Configuration): Promise<ChannelCredentials | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  if (tlsCa === undefined) return credentials.createSsl(null, await readFile(tlsKey), await readFile(tlsCert));
  const provider = new experimental.FileWatcherCertificateProvider({
    certificateFile: tlsCert,
    privateKeyFile: tlsKey,
    caCertificateFile: tlsCa,
    refreshIntervalMs: PEER_REFRESH_MS,
  });
  return experimental.createCertificateProviderChannelCredentials(provider, provider);
}
