/** What serves every capability names none: adding one adds its folder, and the list that codegen makes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMAND_CAPABILITIES } from './capabilities.generated';

const TESTS = /\.(unit|int|e2e)\.ts$/;
const SHARED_FOLDERS = ['.', 'methods', 'ownership', 'peers'];

test('no file outside of a capability imports from it', () => {
  const names = COMMAND_CAPABILITIES.map(({ name }) => name);
  expect(names).toContain('account');
  const imports = SHARED_FOLDERS.flatMap((folder) =>
    readdirSync(join(__dirname, folder))
      .filter((file) => file.endsWith('.ts') && !TESTS.test(file) && file !== 'capabilities.generated.ts')
      .flatMap((file) =>
        readFileSync(join(__dirname, folder, file), 'utf8')
          .split('\n')
          .filter((line) => line.startsWith('import') || line.startsWith('export') || line.startsWith('} from'))
          .map((line) => `${folder}/${file}: ${line}`),
      ),
  );
  expect(imports.length).toBeGreaterThan(50);
  const named = new RegExp(`['/](${names.join('|')})['/]|\\b(${names.join('|')})pb\\b`);
  expect(imports.filter((line) => named.test(line))).toEqual([]);
});
