import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { READ_COLLECTIONS } from './index';

const DOCUMENT = join(__dirname, '..', '..', '..', 'docs', 'read-store.md');

test('docs/read-store.md names every index with its fields', () => {
  const documented = readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .flatMap((line) => /^\| `([a-z_]+)` \| `(by_[a-z_]+)` \| (.*) \|/.exec(line)?.slice(1, 4).join('.') ?? []);
  expect(documented).toEqual(
    READ_COLLECTIONS.flatMap(({ name, key, indexes }) =>
      Object.entries(indexes).map(([index, fields]) => `${name}.${index}.${[...fields, key].map((field) => `\`${field}\``).join(', ')}`),
    ),
  );
});

test('docs/read-store.md names every field of every collection, in their order', () => {
  const documented = readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .flatMap((line) => /^\| `([a-z_]+)` \| `((?!by_)[a-z_]+)` \|/.exec(line)?.slice(1, 3).join('.') ?? []);
  expect(documented).toEqual(READ_COLLECTIONS.flatMap(({ name, fields }) => Object.keys(fields).map((field) => `${name}.${field}`)));
});
