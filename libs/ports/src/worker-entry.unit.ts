import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workerEntry } from './worker-entry';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'worker-entry-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function built(...place: string[]): string {
  const directory = join(folder, ...place);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'some.worker.js');
  writeFileSync(file, '');
  return file;
}

test.each([
  ['of source is in the build', ['library', 'src', 'thread']],
  ['of built code is beside it', ['library', 'dist', 'thread']],
])('the worker %s', (_, place) => {
  const file = built('library', 'dist', 'thread');
  expect(workerEntry(join(folder, ...place), 'some.worker')).toBe(file);
});

test('folders above the library may have any name', () => {
  const file = built('src', 'library', 'dist');
  expect(workerEntry(join(folder, 'src', 'library', 'src'), 'some.worker')).toBe(file);
  expect(workerEntry(join(folder, 'src', 'library', 'dist'), 'some.worker')).toBe(file);
});

test('a worker that is not built is an error that says so', () => {
  expect(() => workerEntry(join(folder, 'library', 'src'), 'some.worker')).toThrow(/some\.worker\.js is not built: run the build first/);
});
