/**
 * A project that is in no list is neither built nor tested, and nobody notices.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolders, ROOT } from './manifests';

const solution = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as { references: { path: string }[] };
const referenced = new Set(solution.references.map(({ path }) => path.replace(/^\.\//, '')));

test.each(packageFolders())('%s is built with the workspace and has its tests configured', (folder) => {
  expect(referenced).toContain(folder);
  expect(existsSync(join(ROOT, folder, 'jest.config.cjs'))).toBe(true);
});

test('the workspace references nothing that is not there', () => {
  expect([...referenced].filter((folder) => !existsSync(join(ROOT, folder, 'tsconfig.json')))).toEqual([]);
});
