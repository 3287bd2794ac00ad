import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@sluice/memory';
import type { LogIdentity } from '@sluice/ports';
import { contractCommit } from '@sluice/testing';
import type { LogRequest, LogWriterOptions } from './log-writer';
import { StorageThread } from './storage-thread';

const folder = mkdtempSync(join(tmpdir(), 'sluice-storage-thread-'));

afterAll(() => rmSync(folder, { recursive: true }));

interface UnderTest {
  readonly thread: StorageThread<LogRequest>;
  readonly clock: ManualClock;
  readonly deaths: string[];
  /** Resolves when a request is carried out: the thread is there again. */
  serving(): Promise<void>;
}

async function start(name: string): Promise<UnderTest> {
  const clock = new ManualClock();
  const deaths: string[] = [];
  const data: LogWriterOptions = { file: join(folder, `${name}.db`), partitions: 2 };
  const died = (error: Error): void => void deaths.push(error.message);
  const { thread } = await StorageThread.start<LogRequest, LogIdentity>({ name: 'log-writer', description: 'the thread', data, died, clock });
  const serving = async (): Promise<void> => {
    for (;;) {
      try {
        await thread.request({ kind: 'limitPages', pages: 1_000_000 });
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  };
  return { thread, clock, deaths, serving };
}

/** What no caller sends, and no thread survives. */
const FATAL = null as unknown as LogRequest;
const append = (sequence: number): LogRequest => ({ kind: 'append', commit: contractCommit(0, sequence) });

test('a thread that dies fails what was under way, is started again after a pause, and goes on where the file ends', async () => {
  const { thread, clock, deaths, serving } = await start('again');
  await thread.request(append(1));
  await expect(thread.request(FATAL)).rejects.toThrow(/^the thread ended: .*null/);
  expect(deaths).toHaveLength(1);
  await expect(thread.request(append(2))).rejects.toThrow('the thread ended and is being started again');
  clock.advance(100);
  await serving();
  await expect(thread.request(append(3))).rejects.toMatchObject({ failure: { kind: 'sequenceTaken' } });
  await thread.request(append(2));
  await thread.close();
});

test('the pauses grow while threads die without an answer, and are short again after one', async () => {
  const { thread, clock, deaths, serving } = await start('pauses');
  const dies = async (): Promise<void> => {
    for (;;) {
      const error: unknown = await thread.request(FATAL).catch((refusal: unknown) => refusal);
      if (!String(error).includes('being started again')) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await dies();
  clock.advance(100);
  await dies();
  expect(deaths).toHaveLength(2);
  clock.advance(100);
  await expect(thread.request(append(1))).rejects.toThrow('being started again');
  clock.advance(100);
  await serving();
  await dies();
  clock.advance(100);
  await serving();
  await thread.close();
});

test('closed while no thread is there, it stays closed', async () => {
  const { thread, clock } = await start('closed');
  await expect(thread.request(FATAL)).rejects.toThrow();
  await thread.close();
  clock.advance(10_000);
  await expect(thread.request(append(1))).rejects.toThrow('the thread is closed');
  await thread.close();
});
