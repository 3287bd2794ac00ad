import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AppendFailedError } from '@sluice/ports';
import { contractCommit, eventLogContract, hex } from '@sluice/testing';
import { PartitionCountError, SqliteEventLog, type SqliteEventLogOptions } from './sqlite-event-log';

/** A folder of its own, and the logs that were opened in it. */
class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  readonly file = join(this.folder, 'log.db');
  readonly #opened: SqliteEventLog[] = [];

  async open(options: Partial<SqliteEventLogOptions> = {}): Promise<SqliteEventLog> {
    const log = await SqliteEventLog.open({ file: this.file, partitions: 3, ...options });
    this.#opened.push(log);
    return log;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#opened.map((log) => log.close()));
    rmSync(this.folder, { recursive: true });
  }
}

eventLogContract('sqlite', async (partitions) => {
  const workplace = new Workplace();
  return { open: () => workplace.open({ partitions }), dispose: () => workplace.remove() };
});

describe('the event log on SQLite', () => {
  let workplace: Workplace;

  beforeEach(() => {
    workplace = new Workplace();
  });

  afterEach(() => workplace.remove());

  test('a log of another number of partitions is refused, and the refusal says what to do', async () => {
    await (await workplace.open({ partitions: 6 })).close();
    const refusal = workplace.open({ partitions: 4 });
    await expect(refusal).rejects.toBeInstanceOf(PartitionCountError);
    await expect(refusal).rejects.toThrow(/made with 6 partitions, the configuration makes 4 .* product is 6/);
    expect((await workplace.open({ partitions: 6 })).identity.partitions).toBe(6);
  });

  test('a file that is something else is refused by its name', async () => {
    writeFileSync(workplace.file, 'This is a shopping list, not a database, and it is long enough to look at.');
    await expect(workplace.open()).rejects.toThrow();
    await expect(workplace.open({ file: join(workplace.folder, 'missing', 'log.db') })).rejects.toThrow(/missing/);
  });

  test('an append says how long storage took', async () => {
    const log = await workplace.open();
    const askedAtNs = process.hrtime.bigint();
    const { durationUs } = await log.append(contractCommit(0, 1));
    expect(durationUs).toBeGreaterThan(0);
    expect(durationUs * 1_000).toBeLessThan(Number(process.hrtime.bigint() - askedAtNs));
  });

  test('a sequence that leaves a gap is refused', async () => {
    const log = await workplace.open();
    await log.append(contractCommit(0, 1));
    await expect(log.append(contractCommit(0, 3))).rejects.toMatchObject({ name: 'SequenceTakenError', sequence: 3 });
  });

  test('a reader in the same process sees appends, needs no number of partitions, and refuses to append', async () => {
    const log = await workplace.open();
    const reader = await workplace.open({ readOnly: true, partitions: undefined });
    expect(reader.identity).toEqual(log.identity);
    expect(await reader.headSequences()).toEqual([0, 0, 0]);
    await log.append(contractCommit(2, 1));
    expect(await reader.headSequences()).toEqual([0, 0, 1]);
    await expect(reader.append(contractCommit(0, 1))).rejects.toBeInstanceOf(AppendFailedError);
    await expect(workplace.open({ readOnly: true, file: join(workplace.folder, 'other.db') })).rejects.toThrow(/other\.db/);
  });

  test('another incarnation is in force from the next opening on, and the former ones are known', async () => {
    const log = await workplace.open();
    const first = log.identity.incarnation;
    expect(log.identity.formerIncarnations).toBeUndefined();
    const second = await log.renewIncarnation();
    const third = await log.renewIncarnation();
    await log.close();
    const { identity } = await workplace.open();
    expect(identity).toMatchObject({ incarnation: third, formerIncarnations: [first, second], partitions: 3 });
    expect(new Set([first, second, third]).size).toBe(3);
    expect((await workplace.open({ readOnly: true, partitions: undefined })).identity).toEqual(identity);
  });

  test('a full disk refuses what does not fit, takes what does, and goes on when there is room again', async () => {
    const log = await workplace.open({ maxPageCount: 40 });
    await log.append(contractCommit(0, 1, 100_000));
    const outcomes = await Promise.allSettled([log.append(contractCommit(0, 2, 400_000)), log.append(contractCommit(1, 1, 1000))]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled']);
    expect((outcomes[0] as PromiseRejectedResult).reason).toMatchObject({ name: 'AppendFailedError', diskFull: true });
    expect(await log.headSequences()).toEqual([1, 1, 0]);
    await log.limitPages(1_000_000);
    await log.append(contractCommit(0, 2, 400_000));
    expect((await log.head(0))?.bytes).toHaveLength(400_000);
  });

  test('the write-ahead log stays small while commits pour in, and is empty after the close', async () => {
    const log = await workplace.open();
    const bytes = new Uint8Array(300_000);
    for (let sequence = 1; sequence <= 30; sequence += 1) {
      await Promise.all([0, 1, 2].map((partition) => log.append({ ...contractCommit(partition, sequence), bytes })));
      expect(statSync(`${workplace.file}-wal`).size).toBeLessThan(16 * 1024 * 1024);
    }
    await log.close();
    expect(existsSync(`${workplace.file}-wal`) ? statSync(`${workplace.file}-wal`).size : 0).toBe(0);
  });

  test('close lets appends that were handed over finish', async () => {
    const log = await workplace.open();
    const appends = [0, 1, 2].map((partition) => log.append(contractCommit(partition, 1)));
    await log.close();
    await Promise.all(appends);
    expect(await (await workplace.open()).headSequences()).toEqual([1, 1, 1]);
  });

  test('every acknowledged append is there after kill -9', async () => {
    const acknowledged = await appendUntilKilled(workplace.file);
    expect(acknowledged).toBeGreaterThanOrEqual(20);
    const log = await workplace.open();
    const records = await log.read(1, 1, { maxCommits: 100_000, maxBytes: 1e9 });
    expect(records.length).toBeGreaterThanOrEqual(acknowledged);
    expect(records.map((record) => record.sequence)).toEqual(records.map((_, at) => at + 1));
    expect(records.every((record) => hex(record.bytes) === record.sequence.toString(16).padStart(8, '0').repeat(50))).toBe(true);
    await log.append(contractCommit(1, records.length + 1));
  });
});

/** A process of its own appends to partition 1 and kills itself in the middle; resolves with the last acknowledged sequence. */
async function appendUntilKilled(logFile: string): Promise<number> {
  const script = `
    const { SqliteEventLog } = require(${JSON.stringify(join(__dirname, '..', 'dist', 'index.js'))});
    SqliteEventLog.open({ file: process.argv[1], partitions: 3 }).then(async (log) => {
      for (let sequence = 1; ; sequence += 1) {
        const bytes = Buffer.from(sequence.toString(16).padStart(8, '0').repeat(50), 'hex');
        const appended = log.append({ partition: 1, sequence, bytes, commandCount: 1, committedAtUs: sequence, eventTypes: ['x'] });
        if (sequence === 25) process.kill(process.pid, 'SIGKILL');
        await appended;
        require('node:fs').writeSync(1, sequence + '\\n');
      }
    });`;
  const child = spawn(process.execPath, ['-e', script, logFile], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return Number(output.trim().split('\n').at(-1));
}
