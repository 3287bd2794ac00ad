/** The rule that keeps capabilities apart bites where one imports another, and nowhere else. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Linter } from 'eslint';
import { ROOT } from './manifests';

const requireCjs = createRequire(join(ROOT, 'package.json'));
const rule = requireCjs('./tools/lint/capability-boundaries.cjs') as never;
const { parser } = requireCjs('typescript-eslint') as { parser: never };

function complaints(file: string, code: string): string[] {
  const linter = new Linter({ cwd: ROOT });
  const config = {
    files: ['**/*.ts'],
    languageOptions: { parser },
    plugins: { sluice: { rules: { boundaries: rule } } },
    rules: { 'sluice/boundaries': ['error', { capabilities: ['account', 'task'] }] },
  };
  return linter.verify(code, [config as never], { filename: join(ROOT, file) }).map(({ message }) => message);
}

test.each`
  file                                         | code
  ${'apps/command/src/task/task-state.ts'}     | ${"import { AccountState } from '../account/account-state';"}
  ${'apps/command/src/task/task-state.ts'}     | ${"export { AccountState } from '../account';"}
  ${'apps/query/src/task/deep/list.ts'}        | ${"export * from '../../account/account-message';"}
  ${'apps/query/src/task/index.ts'}            | ${"import { ACCOUNTS } from '@sluice/projections/account';"}
  ${'libs/projections/src/task/projection.ts'} | ${"import type { AccountPart } from '../account/account-event';"}
  ${'libs/client/src/task/index.ts'}           | ${"const account = import('../account/index');"}
  ${'libs/domain/src/task/task.ts'}            | ${"import { decidePosting } from '@sluice/domain/account';"}
  ${'libs/domain/src/task/task.unit.ts'}       | ${"import { decidePosting } from '../account/posting';"}
  ${'test/simulation/task/workload.ts'}        | ${"import { LedgerModel } from '../account/ledger-model';"}
`('$file may not say $code', ({ file, code }: { file: string; code: string }) => {
  expect(complaints(file, code)).toEqual([expect.stringContaining('"task" imports "account"')]);
});

test.each`
  file                                     | code
  ${'apps/command/src/task/task-state.ts'} | ${"import { commandMethod } from '../methods/command-method';"}
  ${'apps/command/src/task/task-state.ts'} | ${"import { decide } from '@sluice/domain/task';"}
  ${'apps/command/src/task/task-state.ts'} | ${"import type { AccountView } from '@sluice/domain/account';"}
  ${'apps/query/src/task/index.ts'}        | ${"import { checkKey } from '../request-shape';"}
  ${'apps/query/src/freshness.ts'}         | ${"import { queryCapability } from './account/index';"}
  ${'libs/projections/src/task/index.ts'}  | ${"export * from './task-projection';"}
`('$file may say $code', ({ file, code }: { file: string; code: string }) => {
  expect(complaints(file, code)).toEqual([]);
});

test('the workspace is linted by it', () => {
  const configuration = requireCjs('./eslint.config.cjs') as { files?: string[]; rules?: Record<string, unknown> }[];
  const entry = configuration.find(({ rules }) => rules?.['sluice/capability-boundaries'] !== undefined);
  expect(entry).toMatchObject({ files: ['**/*.ts'], rules: { 'sluice/capability-boundaries': 'error' } });
});

test.each`
  entry                               | allowed
  ${'@sluice/domain'}                 | ${true}
  ${'@sluice/domain/account'}         | ${true}
  ${'@sluice/protocol/account'}       | ${true}
  ${'@sluice/projections/account'}    | ${true}
  ${'@sluice/domain/account/posting'} | ${false}
  ${'@sluice/engine/partition'}       | ${false}
`('$entry may be imported: $allowed', ({ entry, allowed }: { entry: string; allowed: boolean }) => {
  const configuration = requireCjs('./eslint.config.cjs') as { rules?: Record<string, never> }[];
  const rules = {
    'no-restricted-imports': configuration.find(({ rules }) => rules?.['sluice/capability-boundaries'] !== undefined)?.rules?.['no-restricted-imports'],
  };
  const found = new Linter({ cwd: ROOT }).verify(`import '${entry}';`, [{ files: ['**/*.ts'], rules }], {
    filename: join(ROOT, 'apps/query/src/query.ts'),
  });
  expect(found.length === 0).toBe(allowed);
});

test.each(['domain', 'protocol', 'projections'])('the main entry of %s exports nothing of a capability by hand', (library) => {
  const entry = readFileSync(join(ROOT, 'libs', library, 'src', 'index.ts'), 'utf8');
  const capabilities = readdirSync(join(ROOT, 'protos', 'sluice')).filter((name) => !['log', 'projection', 'scheduler'].includes(name));
  const folders = capabilities.filter((name) => new RegExp(`\\./${name}(/|')|sluice\\.${name}\\.`).test(entry));
  expect(folders).toEqual([]);
});
