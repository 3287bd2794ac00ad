/**
 * How this instance shows itself to its peers by TLS, and whom it trusts. The files are read again when they change: connections
 * that exist go on, new ones use what was read last.
 */
import { ChannelCredentials, credentials } from '@grpc/grpc-js';
import type { Clock } from '@sluice/ports';
import type { Logger } from '@sluice/telemetry';
import { UnusableFileError } from './unusable-file-error';
import { WatchedFiles } from './watched-files';

export interface PeerFiles {
  /** Chain, PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** Authority of the peers' certificates, PEM; undefined: the authorities of the system. */
  readonly authority?: string;
}

export interface PeerCredentials {
  readonly credentials: ChannelCredentials;
  close(): void;
}

/** Rejects with UnusableFileError. */
export async function openPeerCredentials(files: PeerFiles, clock: Clock, logger: Logger): Promise<PeerCredentials> {
  const { certificate, key, authority } = files;
  const watched = await WatchedFiles.open({
    paths: authority === undefined ? [certificate, key] : [certificate, key, authority],
    parse: ([cert, privateKey, ca]) => credentialsOf(files, cert as Buffer, privateKey as Buffer, ca),
    clock,
    logger,
  });
  return { credentials: new ReloadedCredentials(() => watched.value), close: () => watched.close() };
}

class ReloadedCredentials extends ChannelCredentials {
  constructor(private readonly newest: () => ChannelCredentials) {
    super();
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  /** A connector lives as long as its channel; each connection asks for the newest credentials. */
  override _createSecureConnector(
    ...parameters: Parameters<ChannelCredentials['_createSecureConnector']>
  ): ReturnType<ChannelCredentials['_createSecureConnector']> {
    const connector = () => this.newest()._createSecureConnector(...parameters);
    const first = connector();
    return {
      connect: (socket) => connector().connect(socket),
      waitForReady: () => first.waitForReady(),
      getCallCredentials: () => first.getCallCredentials(),
      destroy: () => first.destroy(),
    };
  }
}

function credentialsOf({ certificate, key, authority }: PeerFiles, cert: Buffer, privateKey: Buffer, ca: Buffer | undefined): ChannelCredentials {
  try {
    return credentials.createSsl(ca ?? null, privateKey, cert);
  } catch {
    // What OpenSSL says may quote the file; its name is enough.
    throw new UnusableFileError(`${[certificate, key, authority].filter((file) => file !== undefined).join(', ')} cannot be used together to call peers`);
  }
}
