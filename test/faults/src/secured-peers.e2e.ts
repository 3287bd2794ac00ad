import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { type Access, metadataOf, until } from '@sluice/judged-load';
import { CertificateAuthority } from '@sluice/testing';
import { commandClient, credit, openSideAccount, postReasons } from './harness/side-account';
import { testFault } from './harness/under-load';

const CALLER_TOKEN = 'token-of-the-callers-of-this-test';
const PEER_TOKEN = 'token-of-the-peers-of-this-test';
const UNKNOWN_TOKEN = 'token-that-one-instance-knows-alone';
/** The others do not know its token. */
const UNKNOWN = 'command-2';
/** It does not know the authority of the others. */
const MISTRUSTFUL = 'command-3';
const ENTRY = 'command-1';
/** One in each partition. */
const ACCOUNTS = ['{l}-side', '{b}-side', '{a}-side', '{d}-side'];

const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function callersFile(name: string, peerTokens: readonly string[]): string {
  const peers = peerTokens.map((token, at) => ({ name: `peers-${at}`, token, roles: ['peer'] }));
  return file(name, JSON.stringify({ tokens: [{ name: 'callers', token: CALLER_TOKEN, roles: ['post', 'read', 'operate'] }, ...peers] }));
}

const authority = new CertificateAuthority();
const { certificate, key } = authority.make({ commonName: 'sluice', ipv4: ['127.0.0.1'] });
const access: Access = { credentials: credentials.createSsl(Buffer.from(authority.certificate)), token: CALLER_TOKEN };

const RIGHT = {
  SLUICE_TLS_CERT: file('server.pem', certificate),
  SLUICE_TLS_KEY: file('server.key', key),
  SLUICE_AUTH_FILE: callersFile('callers.json', [PEER_TOKEN]),
  SLUICE_PEER_TOKEN: PEER_TOKEN,
  SLUICE_PEER_CA: file('authority.pem', authority.certificate),
};
const WRONG: Readonly<Record<string, Record<string, string>>> = {
  [UNKNOWN]: { SLUICE_AUTH_FILE: callersFile('callers-of-one.json', [PEER_TOKEN, UNKNOWN_TOKEN]), SLUICE_PEER_TOKEN: UNKNOWN_TOKEN },
  [MISTRUSTFUL]: { SLUICE_PEER_CA: file('another-authority.pem', new CertificateAuthority('Another').certificate) },
};

testFault(
  'TLS and tokens between peers: what fits is sent on for the caller; a token and an authority that do not fit are told at start',
  {
    counts: { command: 3 },
    environment: RIGHT,
    environmentOf: (name) => WRONG[name] ?? {},
    credentials: access.credentials,
    load: { access },
    calledInstances: (command) => command.filter(({ name }) => name === ENTRY),
  },
  async ({ load, lines, command, owners: ownersNow }) => {
    await until('the unknown token is told', async () => lines.of(UNKNOWN).some((line) => line.includes('give SLUICE_PEER_TOKEN a token with the role')));
    await until('the unknown authority is told', async () => lines.of(MISTRUSTFUL).some((line) => line.includes('SLUICE_PEER_CA must name the authority')));
    const said = command.flatMap(({ name }) => lines.of(name)).join('\n');
    for (const token of [CALLER_TOKEN, PEER_TOKEN, UNKNOWN_TOKEN]) expect(said).not.toContain(token);
    expect(lines.of(ENTRY).filter((line) => line.includes('"level":"error"'))).toEqual([]);

    const owners = await ownersNow();
    const options = { metadata: metadataOf(access) };
    const reasons: Record<string, (string | undefined)[]> = {};
    for (const { name, address } of command) {
      const client = commandClient(address, access);
      try {
        if (name === ENTRY) for (const id of ACCOUNTS) await openSideAccount(client, id, options);
        reasons[name] = await postReasons(
          client,
          ACCOUNTS.map((id) => credit(id, `by-${name}`)),
          options,
        );
      } finally {
        client.close();
      }
    }
    const ownOnly = (name: string): (string | undefined)[] =>
      ACCOUNTS.map((id) => (owners[load.partitionOf(id)] === name ? undefined : 'PARTITION_UNAVAILABLE'));
    expect(reasons).toEqual({ [ENTRY]: ACCOUNTS.map(() => undefined), [UNKNOWN]: ownOnly(UNKNOWN), [MISTRUSTFUL]: ownOnly(MISTRUSTFUL) });
    await load.moreEverywhere(40);
  },
);
