/**
 * What the configuration says about security, put together: how a server shows itself, whom it lets in, and how this
 * instance shows itself to its peers.
 */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Clock } from '@sluice/ports';
import type { Logger } from '@sluice/telemetry';
import type { Configuration } from '../config/settings';
import { HopProof } from '../hop-proof';
import type { ServerOptions } from '../server';
import { Authentication } from './authentication';
import { KnownCallers } from './known-callers';
import { openPeerCredentials } from './peer-credentials';
import { openServerCertificates } from './server-certificates';
import { WatchedFiles } from './watched-files';
import { WebTokens } from './web-tokens';

export interface Security {
  /** To be spread over what `serverOptionsOf` gives. */
  readonly server: Pick<ServerOptions, 'authenticator' | 'credentials' | 'hopProof'>;
  /** How this instance calls the others. */
  readonly peer: {
    readonly credentials?: ChannelCredentials;
    readonly token?: string;
    readonly proof?: HopProof /** Why the others will refuse this instance; undefined: nothing is known against it. */;
    readonly problem?: string;
  };
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
    const peerCredentials = await openCredentialsOfPeer(configuration, clock, logger);
    if (peerCredentials !== undefined) open.push(peerCredentials);
    const authenticates = knownCallers !== undefined || webTokens !== undefined;
    return {
      server: {
        credentials: certificates?.credentials,
        authenticator: authenticates ? new Authentication(() => knownCallers?.value ?? KnownCallers.none, webTokens) : undefined,
        hopProof: proof,
      },
      peer: {
        credentials: peerCredentials?.credentials,
        token: configuration.peerToken,
        proof,
        problem: authenticates ? await problemAsPeer(configuration, knownCallers?.value ?? KnownCallers.none) : undefined,
      },
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

async function hopProofOf({ keyringSecret }: Configuration): Promise<HopProof | undefined> {
  return keyringSecret === undefined ? undefined : HopProof.derive(keyringSecret);
}

/** Peers have certificates of one authority; this instance shows its own where they ask. */
async function openCredentialsOfPeer({ tlsCert, tlsKey, tlsCa, peerCa = tlsCa }: Configuration, clock: Clock, logger: Logger) {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return openPeerCredentials({ certificate: tlsCert, key: tlsKey, authority: peerCa }, clock, logger);
}

/** All instances have the same callers: this one knows whether the others will take it for a peer. */
async function problemAsPeer({ peerToken, tlsCert, tlsCa }: Configuration, known: KnownCallers): Promise<string | undefined> {
  if (peerToken !== undefined) {
    const caller = known.byToken(peerToken);
    if (caller === undefined) return 'SLUICE_PEER_TOKEN is no token of SLUICE_AUTH_FILE: the other instances will refuse this one';
    if (!caller.roles.has('peer')) return `SLUICE_PEER_TOKEN is the token of "${caller.name}", who lacks the role "peer" in SLUICE_AUTH_FILE`;
    return undefined;
  }
  const certificate = tlsCert === undefined || tlsCa === undefined ? undefined : new X509Certificate(await readFile(tlsCert)).toLegacyObject();
  if (certificate !== undefined && known.byCertificate(certificate)?.roles.has('peer') === true) return undefined;
  return 'SLUICE_PEER_TOKEN must be given: callers must say who they are, so instances call each other with a token that has the role "peer" in SLUICE_AUTH_FILE';
}
