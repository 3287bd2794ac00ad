/** What becomes of a data folder in which a file is not what it was: the table of docs/data-folder.md, held against the program. */
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SluiceClient } from '@sluice/client';
import { CHECKSUM_BYTES, CHECKSUM_TAG, logpb } from '@sluice/protocol';
import { READ_COLLECTIONS } from '@sluice/projections';
import { SqliteEventLog, SqliteReadStore } from '@sluice/store-sqlite';
import { dataFiles } from '../data-folder';
import { PlainFailure } from '../exit-code';
import { configurationFor } from './configuration';
import { type EmbeddedServer, startEmbedded } from './embedded';

const TABLE = readFileSync(join(__dirname, '../../../../docs/data-folder.md'), 'utf8');
const MAIN = join(__dirname, '../../dist/main.js');
const SIGNING_KEY = Buffer.alloc(32, 7);
const POSTINGS = 20;

let base: string;
let folder: string;
let server: EmbeddedServer | undefined;

const start = async (newLog = false): Promise<EmbeddedServer> => {
  server = await startEmbedded(configurationFor({}, { dataDir: folder, port: 0 }), { newLog });
  return server;
};

const stop = async (): Promise<void> => {
  await server?.stop();
  server = undefined;
};

async function withClient<Result>(address: string, work: (client: SluiceClient) => Promise<Result>): Promise<Result> {
  const client = new SluiceClient({ target: address });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/** A folder in which a server was at work and was stopped in order. */
async function make(name: string): Promise<void> {
  folder = join(base, name);
  const { address } = await start();
  await withClient(address, async (client) => {
    await client.accounts.open({ accountId: 'a', unit: 'EUR' });
    await client.accounts.open({ accountId: 'signed', unit: 'EUR', signingKey: SIGNING_KEY });
    for (let number = 0; number < POSTINGS; number += 1) {
      await client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 1n, requestId: `credit-${number}` });
    }
    await client.accounts.get('a');
  });
  await stop();
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'sluice-folder-'));
  await make('other');
  await make('whole');
});

beforeEach(() => {
  folder = mkdtempSync(join(base, 'tried-'));
  cpSync(join(base, 'whole'), folder, { recursive: true });
});

afterEach(stop);
afterAll(() => rmSync(base, { recursive: true }));

const removeLogOfWrites = (file: string): void => {
  for (const suffix of ['-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
};

/** By the headings of the table: what is done to a file's content. */
const DAMAGES: Readonly<Record<string, (file: string, name: string) => void>> = {
  missing: (file) => rmSync(file),
  empty: (file) => writeFileSync(file, ''),
  'cut in half': (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
  'a bit flipped': (file) => {
    const bytes = readFileSync(file);
    let at = Math.floor(bytes.length * 0.6);
    while (bytes[at] === 0) at += 1;
    bytes[at] = (bytes[at] as number) ^ 1;
    writeFileSync(file, bytes);
  },
  'of another folder': (file, name) => cpSync(join(base, 'other', name), file),
};

/** The user that the server runs as where rights are tried: root may do everything. Only root can give files to another user. */
const SERVER_USER = process.getuid?.() === 0 ? 65_534 : undefined;

/** By the headings of the table: what is done to a file's rights. */
const RIGHTS: Readonly<Record<string, (path: string) => void>> = {
  'read-only': (path) => chmodSync(path, statSync(path).isDirectory() ? 0o500 : 0o400),
  'of another user': (path) => {
    // What another user's file is to somebody who cannot give one away.
    if (SERVER_USER === undefined) chmodSync(path, 0);
    else chownSync(path, 0, 0);
  },
};

const rows = TABLE.slice(TABLE.indexOf('| file | missing'))
  .split('\n\n')[0]
  ?.split('\n')
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  ) as string[][];
const headings = (rows[0] as string[]).slice(1);
const cases = rows.slice(2).flatMap(([file, ...cells]) => cells.map((says, at) => [(file as string).slice(1, -1), headings[at] as string, says] as const));

test('the table has every file of the folder, and every damage', () => {
  expect(cases).toHaveLength(6 * 7);
  expect(headings).toEqual([...Object.keys(DAMAGES), ...Object.keys(RIGHTS)]);
  const { folder: _folder, ...files } = dataFiles('/x');
  expect(new Set(cases.map(([file]) => `/x/${file}`))).toEqual(new Set(Object.values(files)));
});

test.each(cases.filter(([, damage]) => damage in DAMAGES))('%s, %s: %s', async (name, damage, says) => {
  const file = join(folder, name);
  DAMAGES[damage]?.(file, name);
  if (damage !== 'a bit flipped') removeLogOfWrites(file);
  const untouched = fingerprint();
  const became = await start().then(
    () => 'starts',
    (error: unknown) => (error instanceof PlainFailure ? `refused (${error.exitCode})` : String(error)),
  );
  expect(says.split(' or ')).toContain(became);
  if (became === 'starts') {
    const credited = await withClient((server as EmbeddedServer).address, (client) => client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 1n }));
    expect(credited.balanceAfterMinor).toBe(BigInt(POSTINGS + 1));
  } else expect(fingerprint()).toEqual(untouched);
});

/** What is in the files that nothing can be made from, and in the read store. */
function fingerprint(): string[] {
  return ['log.db', 'read.db', 'keyring.db'].map((name) => {
    const file = join(folder, name);
    return `${name} ${statSync(file, { throwIfNoEntry: false }) === undefined ? 'missing' : createHash('sha256').update(readFileSync(file)).digest('hex')}`;
  });
}

interface Attempt {
  /** As the table says it. */
  readonly became: string;
  readonly said: string;
}

/** Starts the server as users do, as a user without special rights, and stops it where it serves. */
function tryToServe(): Promise<Attempt> {
  const user = SERVER_USER === undefined ? {} : { uid: SERVER_USER, gid: SERVER_USER };
  const child = spawn(process.execPath, [MAIN, 'serve', '--port', '0', '--data', folder], { ...user, stdio: ['ignore', 'pipe', 'pipe'], env: {} });
  let said = '';
  let isServing = false;
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (text: Buffer) => {
      said += String(text);
      if (isServing || !said.includes('Ctrl-C')) return;
      isServing = true;
      child.kill('SIGINT');
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ became: isServing && code === 0 ? 'starts' : `refused (${code})`, said })));
}

describe('rights', () => {
  beforeEach(() => {
    if (SERVER_USER === undefined) return;
    chmodSync(base, 0o755);
    for (const path of [folder, ...readdirSync(folder).map((name) => join(folder, name))]) chownSync(path, SERVER_USER, SERVER_USER);
  });

  // What was taken away would be in the way of its removal.
  afterEach(() => {
    chmodSync(folder, 0o700);
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o600);
  });

  test.each(cases.filter(([, damage]) => damage in RIGHTS))('%s, %s: %s', async (name, damage, says) => {
    const file = join(folder, name);
    const untouched = fingerprint();
    RIGHTS[damage]?.(file);
    const { became, said } = await tryToServe();
    expect({ became, said }).toEqual({ became: says, said: expect.any(String) as string });
    if (became === 'starts') return;
    expect(said).toContain(file);
    expect(said).toMatch(/chmod u\+r|chown -R/);
    expect(said.trim().split('\n')).toHaveLength(1);
    chmodSync(file, 0o600);
    expect(fingerprint()).toEqual(untouched);
  });

  test.each(Object.keys(RIGHTS))('the folder, %s: refused (78), and so is one that cannot be made', async (damage) => {
    RIGHTS[damage]?.(folder);
    const inIt = folder;
    const { became, said } = await tryToServe();
    expect(became).toBe('refused (78)');
    expect(said).toContain(inIt);
    folder = join(inIt, 'deeper', 'still');
    const deeper = await tryToServe();
    folder = inIt;
    expect(deeper.became).toBe('refused (78)');
    expect(deeper.said).toContain(inIt);
  });
});

/** Writes over what the pattern finds, which must be there. */
function overwrite(name: string, pattern: RegExp, text: string): void {
  const file = join(folder, name);
  const before = readFileSync(file, 'latin1');
  const after = before.replace(pattern, text);
  expect(after).not.toBe(before);
  expect(after).toHaveLength(before.length);
  writeFileSync(file, after, 'latin1');
}

test('a log of a newer version is refused, with the advice to start that version and not to drop anything', async () => {
  const log = await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions: 4 });
  const newest = await log.head(0);
  if (newest === undefined) throw new Error('the partition has no commit');
  const { checksum, ...before } = logpb.Commit.decode(newest.bytes);
  const sequence = newest.sequence + 1;
  const ofNewerVersion = { ...before, schemaVersion: before.schemaVersion + 1, sequence: BigInt(sequence), previousChecksum: checksum };
  const body = logpb.Commit.encode(logpb.Commit.fromPartial(ofNewerVersion)).finish();
  const bytes = Buffer.concat([body, Buffer.from([CHECKSUM_TAG, CHECKSUM_BYTES]), createHash('sha256').update(body).digest()]);
  await log.append({ partition: 0, sequence, bytes, commandCount: 0, committedAtUs: Number(before.committedAtUs), eventTypes: [] });
  await log.close();
  const untouched = fingerprint();
  const refused = { message: expect.stringMatching(/newer version of Sluice.*Start a version that knows it/) as string, exitCode: 78 };
  await expect(start()).rejects.toMatchObject(refused);
  await expect(start()).rejects.not.toThrow(/drop-from/);
  expect(fingerprint()).toEqual(untouched);
});

test('snapshots of a newer version are not used', async () => {
  overwrite('snapshots.db', /"version":4,"incarnation"/g, '"version":5,"incarnation"');
  const { address } = await start();
  const credited = await withClient(address, (client) => client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 1n }));
  expect(credited.balanceAfterMinor).toBe(BigInt(POSTINGS + 1));
});

test('keys that are missing: the refusal says of how many accounts, an empty keyring is not left, and the keyring that is put back serves', async () => {
  const { address } = await start();
  cpSync(join(folder, 'keyring.db'), join(folder, 'older-keyring.db'));
  await withClient(address, async (client) => {
    for (let number = 0; number < 7; number += 1) await client.accounts.open({ accountId: `signed-${number}`, unit: 'EUR', signingKey: SIGNING_KEY });
  });
  await stop();
  cpSync(folder, `${folder}-backup`, { recursive: true });

  // A backup that is older than the accounts.
  cpSync(join(folder, 'older-keyring.db'), join(folder, 'keyring.db'));
  const before = fingerprint();
  await expect(start()).rejects.toThrow(/the keyring lacks the signing keys of 7 accounts .*keyring\.db/);
  expect(fingerprint()).toEqual(before);

  for (const name of ['keyring.db', 'keyring.key']) rmSync(join(folder, name));
  await expect(start()).rejects.toMatchObject({ message: expect.stringContaining('signing keys of 8 accounts') as string, exitCode: 78 });
  expect(readdirSync(folder).filter((name) => name.startsWith('keyring'))).toEqual([]);

  for (const name of ['keyring.db', 'keyring.key']) cpSync(join(`${folder}-backup`, name), join(folder, name));
  await withClient((await start()).address, async (client) => {
    const signed = { accountId: 'signed-3', unit: 'EUR', amountMinor: 5n, signingKey: SIGNING_KEY };
    expect((await client.accounts.credit(signed)).balanceAfterMinor).toBe(5n);
  });
});

test('keys that are lost for good: where that is accepted the others are served, and a new key serves the account again', async () => {
  for (const name of ['keyring.db', 'keyring.key']) rmSync(join(folder, name));
  server = await startEmbedded(configurationFor({}, { dataDir: folder, port: 0, missingKeys: 'accept' }));
  await withClient(server.address, async (client) => {
    const signed = { accountId: 'signed', unit: 'EUR', amountMinor: 5n, requestId: 'r' };
    await expect(client.accounts.credit({ ...signed, signingKey: SIGNING_KEY })).rejects.toMatchObject({
      reason: 'SIGNING_KEY_MISSING',
      code: 'FAILED_PRECONDITION',
    });
    expect((await client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 1n })).balanceAfterMinor).toBe(BigInt(POSTINGS + 1));
    const anotherKey = Buffer.alloc(32, 8);
    await client.accounts.update({ accountId: 'signed', signingKey: anotherKey });
    expect((await client.accounts.credit({ ...signed, signingKey: anotherKey })).balanceAfterMinor).toBe(5n);
  });
  await stop();
  // Every key that an account names is there again.
  await start();
});

test('a log that is lost: the refusal names what is there and both ways on, and a new log is begun only when asked for', async () => {
  rmSync(join(folder, 'log.db'));
  removeLogOfWrites(join(folder, 'log.db'));
  await expect(start()).rejects.toThrow(
    /the event log is missing: .* has read\.db .*, snapshots\.db, keyring\.db \(1 signing key\), but no log\.db\. Nothing was changed\. Put log\.db back .* "sluice serve --new-log"/,
  );
  const { address } = await start(true);
  await withClient(address, async (client) => {
    await expect(client.accounts.get('a')).rejects.toMatchObject({ reason: 'ACCOUNT_NOT_FOUND' });
    await client.accounts.open({ accountId: 'a', unit: 'EUR' });
    await client.accounts.credit({ accountId: 'a', unit: 'EUR', amountMinor: 3n });
    expect(await client.accounts.get('a')).toMatchObject({ balanceMinor: 3n });
  });
  await stop();
  // The rows of the lost log are gone for good: the next start is an ordinary one.
  const again = await start();
  await withClient(again.address, async (client) => expect(await client.accounts.get('a')).toMatchObject({ balanceMinor: 3n }));
});

test('a first start that ended before its first commit: the next one starts', async () => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  const log = await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions: 4 });
  const store = await SqliteReadStore.open({ file: join(folder, 'read.db'), collections: READ_COLLECTIONS, identity: log.identity });
  await store.current();
  await store.close();
  await log.close();
  await start();
});

test('a new log is not begun where there is one', async () => {
  await expect(start(true)).rejects.toThrow(/log\.db is there and has commits: --new-log is for a folder whose log is lost/);
});
