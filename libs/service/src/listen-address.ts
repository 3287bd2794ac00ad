/**
 * Where a server may listen. In plain text only this machine may reach it, unless the operator says otherwise.
 */
import { isIP } from 'node:net';

export class PlainTextBeyondLoopbackError extends Error {
  constructor(readonly host: string) {
    super(
      `refusing to listen on ${host} in plain text: give a certificate (SLUICE_TLS_CERT, SLUICE_TLS_KEY), listen on 127.0.0.1, or say --insecure (SLUICE_INSECURE=true)`,
    );
    this.name = 'PlainTextBeyondLoopbackError';
  }
}

export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

/** HOST:PORT, with brackets around an IPv6 address. */
export function joinAddress(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
