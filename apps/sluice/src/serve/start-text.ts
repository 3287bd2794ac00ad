/** What a person sees when the server has started: where it is, where its data is, and what to type next. */
import { DEFAULT_TARGET } from '@sluice/client';

export interface StartedServer {
  readonly address: string;
  readonly folder: string;
  readonly partitions: number;
  readonly version: string;
  readonly tls: boolean;
}

export function startText({ address, folder, partitions, version, tls }: StartedServer): string {
  const sluice = address === DEFAULT_TARGET ? 'npx sluice' : `npx sluice --target ${address}`;
  const grpcurl = tls ? 'grpcurl' : 'grpcurl -plaintext';
  const account = 'sluice.account.v1';
  return `Sluice ${version} is serving

  address      ${address}
  data folder  ${folder} (${partitions} partitions)

Try it, in another terminal:

  ${sluice} account open wallet-1 EUR
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
