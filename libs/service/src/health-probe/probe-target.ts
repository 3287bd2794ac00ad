/** Where a process answers health checks, and how it is reached there. A probe runs beside the process: it stays on this machine. */
import { readFileSync } from 'node:fs';
import { WELL_KNOWN_PORTS } from '../config/well-known-ports';
import { joinAddress } from '../listen-address';
import { UnusableFileError } from '../security/unusable-file-error';
import type { ProbeSettings } from './probe-settings';

/** `serve` is the embedded server: all services in one process. */
export const PROBED_SERVICES = ['serve', 'command', 'query', 'projector', 'scheduler'] as const;
export type ProbedService = (typeof PROBED_SERVICES)[number];

const DEFAULT_HOST = '127.0.0.1';
const PORT_OF: Readonly<Record<ProbedService, number>> = { serve: WELL_KNOWN_PORTS.command, ...WELL_KNOWN_PORTS };
/** A process that listens on every address listens on loopback too. */
const LOOPBACK_OF: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** HOST:PORT of each: the configured port, else that of the service. Without a service: every well-known port. */
export function probeAddresses({ host = DEFAULT_HOST, port }: Pick<ProbeSettings, 'host' | 'port'>, service: ProbedService | undefined): readonly string[] {
  const reached = LOOPBACK_OF[host] ?? host;
  const ports = port !== undefined ? [Number(port)] : service !== undefined ? [PORT_OF[service]] : Object.values(WELL_KNOWN_PORTS);
  return ports.map((each) => joinAddress(reached, each));
}

export interface ClientCertificate {
  /** File with the certificate chain, PEM. */
  readonly certificate: string;
  /** File with its key, PEM. */
  readonly key: string;
}

/** What is shown to a server that asks for a certificate. */
export interface ShownCertificate {
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/**
 * TLS where the process uses it, with a client certificate where the process asks for one; undefined: plain text. Throws
 * UnusableFileError.
 *
 * @param named the certificate to show; default: the one of the process.
 */
export function shownCertificate(
  { tlsCert, tlsKey, tlsCa }: Pick<ProbeSettings, 'tlsCert' | 'tlsKey' | 'tlsCa'>,
  named: ClientCertificate | undefined,
): ShownCertificate | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  if (tlsCa === undefined) return {};
  const { certificate, key } = named ?? { certificate: tlsCert, key: tlsKey };
  return { cert: contentOf(certificate), key: contentOf(key) };
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UnusableFileError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
