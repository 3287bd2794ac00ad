/** Events are read through the table of their capability, which looks at their version. No other code decodes one or names its type. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_TABLES } from './event-tables';

const ROOT = join(__dirname, '../../../..');

/** A reader of what the table gave in its encoded form, and a codec of the table. */
const BEHIND_THE_TABLE = ['libs/protocol/src/log/requests-decided.ts', 'libs/protocol/src/task/task-batch.ts'];
const TESTS = /\.(unit|int|e2e)\.ts$|[/\\](test|testing|generated|dist|out-tsc|node_modules)[/\\]|^libs[/\\]testing[/\\]/;

const sources = ['apps', 'libs', 'tools']
  .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)))
  .filter((file) => file.endsWith('.ts') && !TESTS.test(file) && !BEHIND_THE_TABLE.includes(file))
  .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') }));

test.each(EVENT_TABLES.map((table) => [table.capability, table] as const))('events of %s', (_capability, table) => {
  expect(sources.length).toBeGreaterThan(100);
  const names = new Set(table.known().map(({ type }) => type.slice(type.indexOf('.') + 1)));
  const decoding = [...names].flatMap((name) => [`${name}.decode(`, `${name}.fromJSON(`, `'${table.capability}.${name}'`]);
  const found = sources.flatMap(({ file, text }) => decoding.filter((pattern) => text.includes(pattern)).map((pattern) => `${file}: ${pattern}`));
  expect(found).toEqual([]);
});
