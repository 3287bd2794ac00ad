/** What a person sees when the server has started: where it is, where its data is, and what to type next. */
import { DEFAULT_TARGET } from '@sluice/client';

export interface StartedServer {
  readonly address: string;
  readonly folder: string;
  readonly partitions: number;
  readonly version: string;
  /** It speaks TLS only. */
  readonly tls: boolean;
  /** It asks callers for a certificate of theirs. */
  readonly clientCertificates: boolean;
  /** It asks callers who they are. */
  readonly tokens: boolean;
}

/** The commands can be copied as they stand; what only the caller has comes from the environment and the current folder. */
export function startText(server: StartedServer): string {
  const { address, folder, partitions, version, tls, clientCertificates, tokens } = server;
  const sluice = words('npx sluice', address !== DEFAULT_TARGET && `--target ${address}`, clientCertificates && '--tls-cert client.pem --tls-key client.key');
  const grpcurl = words(
    'grpcurl',
    tls ? '-cacert "$SLUICE_TARGET_CA"' : '-plaintext',
    clientCertificates && '-cert client.pem -key client.key',
    tokens && '-H "authorization: Bearer $SLUICE_TOKEN"',
  );
  const account = 'sluice.account.v1';
  return `Sluice ${version} is serving

  address      ${address}
  data folder  ${folder} (${partitions} partitions)

Try it, in another terminal:

${preparation(server)}  ${sluice} account open wallet-1 EUR
  ${sluice} account post wallet-1 CREDIT 2500 EUR
  ${sluice} account get wallet-1
  ${sluice} --help

or with grpcurl:

  ${grpcurl} ${address} list
  ${grpcurl} -d '{"account":{"request_id":"open-2","account_id":"wallet-2","unit":"EUR"}}' ${address} ${account}.AccountCommandService/OpenAccount
  ${grpcurl} -d '{"posting":{"request_id":"gift-1","account_id":"wallet-2","type":"POSTING_TYPE_CREDIT","amount_minor":2500,"unit":"EUR"}}' ${address} ${account}.AccountCommandService/Post
  ${grpcurl} -d '{"account_id":"wallet-2"}' ${address} ${account}.AccountQueryService/GetAccount

Ctrl-C stops it.
`;
}

/** What has to be said once before the commands. */
function preparation({ tls, clientCertificates, tokens }: StartedServer): string {
  const lines = [
    tls && '  export SLUICE_TARGET_CA=ca.pem        # the authority of the certificate of this server',
    tokens && '  export SLUICE_TOKEN=...               # your token',
    clientCertificates && '  cp YOUR-CERTIFICATE client.pem && cp ITS-KEY client.key',
  ].filter((line) => line !== false);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n\n`;
}

function words(...parts: readonly (string | false)[]): string {
  return parts.filter((part) => part !== false).join(' ');
}
