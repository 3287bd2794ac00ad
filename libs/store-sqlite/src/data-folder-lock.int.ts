import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolderInUseError, DataFolderLock } from './data-folder-lock';

describe('the lock of a data folder', () => {
  let folder: string;

  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), 'sluice-lock-')), 'data');
  });

  afterEach(() => {
    rmSync(join(folder, '..'), { recursive: true });
  });

  test('makes the folder, keeps others out, and lets them in once it is released', () => {
    const lock = DataFolderLock.acquire(folder);
    expect(() => DataFolderLock.acquire(folder)).toThrow(new DataFolderInUseError(folder, process.pid));
    lock.release();
    lock.release();
    DataFolderLock.acquire(folder).release();
  });

  test('a process that holds it is named; kill -9 frees it', async () => {
    const script = `
      require(${JSON.stringify(join(__dirname, '..', 'dist', 'index.js'))}).DataFolderLock.acquire(process.argv[1]);
      require('node:fs').writeSync(1, 'held');
      setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ['-e', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    expect(() => DataFolderLock.acquire(folder)).toThrow(`the data folder ${folder} is in use by another process (${holder.pid})`);
    holder.kill('SIGKILL');
    await once(holder, 'close');
    DataFolderLock.acquire(folder).release();
  });
});
