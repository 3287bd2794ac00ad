/**
 * TLS and mutual TLS, with certificates that are replaced while the server runs: connections that exist go on, new ones get
 * the new certificate. A pair that does not fit, or is expired, is refused with the name of its file.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ServerCredentials } from '@grpc/grpc-js';
import type { Clock } from '@sluice/ports';
import type { Logger } from '@sluice/telemetry';
import { UnusableFileError } from './unusable-file-error';
import { WatchedFiles } from './watched-files';

export interface CertificateFiles {
  /** Chain, PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** Authority of client certificates, PEM; undefined: they are not asked for. */
  readonly clientAuthority?: string;
  /** Whether a caller must have a certificate; without one it may still have a token. */
  readonly clientCertificate: 'required' | 'optional';
}

const SOON_MS = 14 * 86_400_000;

export interface ServerCertificates {
  readonly credentials: ServerCredentials;
  close(): void;
}

/** Rejects with UnusableFileError. */
export async function openServerCertificates(files: CertificateFiles, clock: Clock, logger: Logger): Promise<ServerCertificates> {
  const { certificate, key, clientAuthority } = files;
  const watched = await WatchedFiles.open({
    paths: clientAuthority === undefined ? [certificate, key] : [certificate, key, clientAuthority],
    parse: ([cert, privateKey, ca]) => checked({ cert, key: privateKey, ca }, files, clock, logger),
    changed: (context) => credentials.replace(context),
    clock,
    logger,
  });
  const credentials = new ReloadedCredentials(clientAuthority !== undefined, files.clientCertificate === 'required', watched.value);
  return { credentials, close: () => watched.close() };
}

class ReloadedCredentials extends ServerCredentials {
  constructor(requestCert: boolean, required: boolean, context: SecureContextOptions) {
    super({ requestCert, rejectUnauthorized: requestCert && required, minVersion: 'TLSv1.2' }, context);
  }

  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function checked(context: SecureContextOptions, files: CertificateFiles, clock: Clock, logger: Logger): SecureContextOptions {
  const { certificate, key, clientAuthority } = files;
  const nowMs = clock.nowUs() / 1_000;
  const expiresMs = expiryOf(context.cert as Buffer, certificate);
  if (expiresMs <= nowMs) throw new UnusableFileError(`${certificate} expired on ${new Date(expiresMs).toISOString()}`);
  if (expiresMs <= nowMs + SOON_MS) logger.warn({ file: certificate, expires: new Date(expiresMs).toISOString() }, 'the certificate expires soon');
  if (clientAuthority !== undefined) expiryOf(context.ca as Buffer, clientAuthority);
  try {
    createSecureContext(context);
  } catch {
    // What OpenSSL says may quote the file; its name is enough.
    throw new UnusableFileError(`${key} is not the key of ${certificate}, or no private key`);
  }
  return context;
}

/** Milliseconds since the epoch. */
function expiryOf(pem: Buffer, file: string): number {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    throw new UnusableFileError(`${file} is not a certificate in PEM`);
  }
}
