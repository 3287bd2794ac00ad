/**
 * kill -9 under load, again and again. The client keeps its own list of what was acknowledged, with what was said; in the end the log has
 * each of them once, none twice, and the balances are the sums.
 */
import { appendFileSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SqliteEventLog } from '@sluice/store-sqlite';
import { NO_CHECKSUM, readNextCommit, type LogPosition } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { Calls, credit } from './harness/calls';
import { dataFolder, Server } from './harness/server';

const ACCOUNTS = ['hot', 'warm', '{pair}-1', '{pair}-2', ...Array.from({ length: 12 }, (_, at) => `cold ${at}`)];
const ROUNDS = 4;
const CALLERS = 24;
const ACKNOWLEDGED_PER_ROUND = 3_000;

interface Acknowledged {
  readonly accountId: string;
  readonly requestId: string;
  readonly balanceAfterMinor: bigint;
  readonly entryNumber: bigint;
}

const folder = dataFolder();
let server: Server | undefined;

afterAll(async () => {
  await server?.end('SIGKILL');
  folder.remove();
});

class Load {
  readonly acknowledged = new Map<string, Acknowledged>();
  private number = 0;

  /** One caller's calls until the server is gone: single ones, batches, atomic pairs, streams, and repeats of the last round. */
  async run(calls: Calls, caller: number, round: number): Promise<void> {
    for (;;) {
      try {
        switch (caller % 4) {
          case 0:
            await this.single(calls, round);
            break;
          case 1:
            await this.batch(calls, round);
            break;
          case 2:
            await this.pair(calls, round);
            break;
          default:
            await this.stream(calls, round);
        }
      } catch {
        return;
      }
    }
  }

  private next(round: number): Partial<accountpb.Posting> {
    this.number += 1;
    return credit(ACCOUNTS[this.number % 3 === 0 ? this.number % ACCOUNTS.length : 0] as string, `${round}/${this.number}`, 1n);
  }

  private note(posting: Partial<accountpb.Posting>, result: accountpb.PostingResult | undefined): void {
    if (result === undefined || result.error !== undefined) return;
    const { accountId = '', requestId = '' } = posting;
    const { balanceAfterMinor, entryNumber } = result;
    const known = this.acknowledged.get(`${accountId} ${requestId}`);
    if (known !== undefined) expect(known).toMatchObject({ balanceAfterMinor, entryNumber });
    this.acknowledged.set(`${accountId} ${requestId}`, { accountId, requestId, balanceAfterMinor, entryNumber });
  }

  private async single(calls: Calls, round: number): Promise<void> {
    const posting = this.next(round);
    this.note(posting, (await calls.post(posting)).result);
  }

  private async batch(calls: Calls, round: number): Promise<void> {
    const postings = Array.from({ length: 50 }, () => this.next(round));
    const { results } = await calls.batch(postings);
    results.forEach((result, at) => this.note(postings[at] as Partial<accountpb.Posting>, result));
  }

  private async pair(calls: Calls, round: number): Promise<void> {
    this.number += 1;
    const requestId = `${round}/both ${this.number}`;
    const postings = [credit('{pair}-1', requestId, 1n), credit('{pair}-2', requestId, 1n)];
    const { results } = await calls.batch(postings, true);
    results.forEach((result, at) => this.note(postings[at] as Partial<accountpb.Posting>, result));
  }

  private async stream(calls: Calls, round: number): Promise<void> {
    const postings = Array.from({ length: 30 }, () => this.next(round));
    await new Promise<void>((resolve, reject) => {
      const stream = calls.client.postStream();
      stream.on('data', ({ accountId, requestId, result }: accountpb.PostStreamResponse) => this.note({ accountId, requestId }, result));
      stream.on('error', reject);
      stream.on('end', resolve);
      for (const posting of postings) stream.write(accountpb.PostStreamRequest.fromPartial({ posting }));
      stream.end();
    });
  }
}

/** Every posting in the log, commits checked: "account request" to how often it is there, and the sums. */
async function readLog(): Promise<{ times: Map<string, number>; balances: Map<string, bigint> }> {
  const log = await SqliteEventLog.open({ file: join(folder.path, 'log.db'), readOnly: true });
  const times = new Map<string, number>();
  const balances = new Map<string, bigint>();
  for (let partition = 0; partition < log.identity.partitions; partition += 1) {
    let position: LogPosition = { incarnation: Buffer.from(log.identity.incarnation, 'hex'), partition, sequence: 0, checksum: NO_CHECKSUM };
    for (;;) {
      const page = await log.read(partition, position.sequence + 1, { maxCommits: 100, maxBytes: 8 << 20 });
      if (page.length === 0) break;
      for (const record of page) {
        const commit = readNextCommit(position, record.bytes);
        position = { ...position, sequence: commit.sequence, checksum: commit.checksum };
        for (const { type, payload } of commit.events) {
          if (type !== 'account.PostingsRecorded') continue;
          for (const { accountId, requests, balanceBeforeMinor, balanceAfterMinor } of accountpb.PostingsRecorded.decode(payload).accounts) {
            expect(balanceBeforeMinor).toBe(balances.get(accountId) ?? 0n);
            balances.set(accountId, balanceAfterMinor);
            for (const { requestId } of requests?.postings ?? []) times.set(`${accountId} ${requestId}`, (times.get(`${accountId} ${requestId}`) ?? 0) + 1);
          }
        }
      }
    }
  }
  await log.close();
  return { times, balances };
}

test('every acknowledged posting is there after the restart, none twice, and the balances are the sums', async () => {
  const load = new Load();
  for (let round = 0; round < ROUNDS; round += 1) {
    server = await Server.start(folder.path, { SLUICE_SNAPSHOT_BYTES: '1048576' });
    const calls = new Calls(server.address);
    for (const accountId of ACCOUNTS) await calls.open({ accountId });
    const before = load.acknowledged.size;
    const callers = Array.from({ length: CALLERS }, (_, caller) => load.run(calls, caller, round));
    while (load.acknowledged.size < before + ACKNOWLEDGED_PER_ROUND) await new Promise<void>((resolve) => setImmediate(resolve));
    await server.end('SIGKILL');
    await Promise.all(callers);
    calls.close();
    const { times } = await readLog();
    expect([...load.acknowledged.keys()].filter((key) => times.get(key) !== 1)).toEqual([]);
  }
  // What a torn write leaves at the end of the write-ahead log was never acknowledged, and just disappears.
  const wal = join(folder.path, 'log.db-wal');
  if (existsSync(wal) && statSync(wal).size > 0) {
    appendFileSync(wal, Buffer.alloc(5_000, 0x5a));
  }
  server = await Server.start(folder.path);
  const calls = new Calls(server.address);

  const { times, balances } = await readLog();
  expect([...times.entries()].filter(([, count]) => count !== 1)).toEqual([]);
  expect([...load.acknowledged.keys()].filter((key) => !times.has(key))).toEqual([]);
  // Both legs of an atomic pair, or none.
  const legs = [...times.keys()].filter((key) => key.includes('/both '));
  expect(legs.length).toBeGreaterThan(0);
  for (const leg of legs) expect(times.has(leg.startsWith('{pair}-1') ? leg.replace('{pair}-1', '{pair}-2') : leg.replace('{pair}-2', '{pair}-1'))).toBe(true);
  const logged = new Map<string, bigint>();
  for (const key of times.keys()) {
    const accountId = ACCOUNTS.find((one) => key.startsWith(`${one} `)) as string;
    logged.set(accountId, (logged.get(accountId) ?? 0n) + 1n);
  }
  expect(balances).toEqual(logged);

  // Sent again, each gets the answer that it got, and the read store shows the same balances.
  const list = [...load.acknowledged.values()];
  for (let at = 0; at < list.length; at += 5_000) {
    const part = list.slice(at, at + 5_000);
    const { results } = await calls.batch(part.map(({ accountId, requestId }) => credit(accountId, requestId, 1n)));
    expect(results.map(({ repeated, balanceAfterMinor, entryNumber }) => ({ repeated, balanceAfterMinor, entryNumber }))).toEqual(
      part.map(({ balanceAfterMinor, entryNumber }) => ({ repeated: true, balanceAfterMinor, entryNumber })),
    );
  }
  for (const [accountId, balance] of balances) {
    const { positionToken } = await calls.batch([credit(accountId, 'asks for a token', 0n)]);
    expect((await calls.account(accountId, positionToken)).account).toMatchObject({ balanceMinor: balance, entryCount: balance });
  }
  calls.close();
});
