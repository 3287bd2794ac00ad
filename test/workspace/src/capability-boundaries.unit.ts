/** What keeps capabilities apart beside the linter's rule. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './manifests';

test.each(['domain', 'protocol', 'projections'])('the main entry of %s exports nothing of a capability by hand', (library) => {
  const entry = readFileSync(join(ROOT, 'libs', library, 'src', 'index.ts'), 'utf8');
  const capabilities = readdirSync(join(ROOT, 'protos', 'sluice')).filter((name) => !['log', 'projection', 'scheduler'].includes(name));
  const folders = capabilities.filter((name) => new RegExp(`\\./${name}(/|')|sluice\\.${name}\\.`).test(entry));
  expect(folders).toEqual([]);
});
