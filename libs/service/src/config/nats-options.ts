/** How NATS is reached, as the configuration says; who else is told of the connection is added by who opens it. */
import type { Configuration } from './settings';

export interface NatsOptions {
  readonly url: string;
  readonly credentialsFile?: string;
  readonly tls?: { readonly caFile?: string | undefined; readonly certFile?: string | undefined; readonly keyFile?: string | undefined };
}

export function natsOptionsOf(url: string, { natsCredentials, natsTlsCa, natsTlsCert, natsTlsKey }: Configuration): NatsOptions {
  const files = { caFile: natsTlsCa, certFile: natsTlsCert, keyFile: natsTlsKey };
  const encrypted = Object.values(files).some((file) => file !== undefined);
  return { url, ...(natsCredentials !== undefined && { credentialsFile: natsCredentials }), ...(encrypted && { tls: files }) };
}
