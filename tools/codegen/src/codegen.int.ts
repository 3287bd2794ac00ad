import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyDifferences, compareArtifacts, committedArtifacts, DESCRIPTOR_FILE, GENERATED_FOLDER, makeArtifacts } from './artifacts';
import { checkBreaking } from './baseline';
import { buf, BufError } from './buf';
import { makeCapabilityLists } from './capability-lists';

test('the protos are clean, and what is made from them and from the folders of the capabilities is committed', () => {
  buf('lint');
  expect(compareArtifacts(makeArtifacts(), committedArtifacts())).toEqual([]);
});

test('the protos keep what the baseline promises', () => {
  expect(() => checkBreaking()).not.toThrow();
});

test('a refusal of buf carries its own words', () => {
  expect(() => buf('build', 'no-such-folder')).toThrow(BufError);
  expect(() => buf('build', 'no-such-folder')).toThrow(/no-such-folder/);
});

test('stale artifacts are told apart and made whole', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-codegen-test-'));
  try {
    const path = (name: string): string => join(GENERATED_FOLDER, name);
    const before = new Map([
      [path('same.ts'), Buffer.from('same')],
      [path('old/changed.ts'), Buffer.from('before')],
      [path('gone.ts'), Buffer.from('gone')],
      [DESCRIPTOR_FILE, Buffer.from([1])],
    ]);
    applyDifferences(before, compareArtifacts(before, new Map()), folder);
    const made = new Map([
      [path('same.ts'), Buffer.from('same')],
      [path('old/changed.ts'), Buffer.from('after')],
      [path('new.ts'), Buffer.from('new')],
      [DESCRIPTOR_FILE, Buffer.from([1])],
    ]);
    const differences = compareArtifacts(made, committedArtifacts(folder));
    expect(differences).toEqual([
      { path: path('old/changed.ts'), kind: 'changed' },
      { path: path('new.ts'), kind: 'missing' },
      { path: path('gone.ts'), kind: 'left over' },
    ]);
    applyDifferences(made, differences, folder);
    expect(compareArtifacts(made, committedArtifacts(folder))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('the lists of capabilities', () => {
  let folder: string;
  const make = (path: string): void => {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, 'index.ts'), '');
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-codegen-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('name each capability that has a folder in the part, and no other folder', () => {
    for (const name of ['log', 'projection', 'scheduler', 'task', 'account']) make(`protos/sluice/${name}/v1`);
    for (const name of ['account', 'task', 'peers']) make(`apps/query/src/${name}`);
    make('libs/client/src/task');
    make('libs/service/src/config');
    for (const name of ['account', 'world']) make(`test/simulation/${name}`);
    const lists = makeCapabilityLists(folder);
    expect([...lists.keys()].sort()).toEqual([
      'apps/query/src/capabilities.generated.ts',
      'libs/client/src/capabilities.generated.ts',
      'libs/client/src/public.generated.ts',
      'libs/service/src/capabilities.generated.ts',
      'test/simulation/capabilities.generated.ts',
    ]);
    expect(
      lists.get('apps/query/src/capabilities.generated.ts')?.toString(),
    ).toBe(`/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */
import { queryCapability as account } from './account/index';
import { queryCapability as task } from './task/index';
import type { QueryCapability } from './query-capability';

export const QUERY_CAPABILITIES: readonly QueryCapability[] = [account, task];
`);
    expect(lists.get('libs/client/src/capabilities.generated.ts')?.toString()).toContain('\nexport const CLIENT_CAPABILITIES = [task] as const;\n');
    expect(lists.get('libs/service/src/capabilities.generated.ts')?.toString()).toContain('\nexport const SERVICE_CAPABILITIES = [] as const;\n');
    expect(lists.get('test/simulation/capabilities.generated.ts')?.toString()).toContain(': readonly SimulatedCapability[] = [account];\n');
    expect(lists.get('libs/client/src/public.generated.ts')?.toString()).toContain("\nexport * from './task/public';\n");
  });

  test('are refused for a folder whose name is no name of a capability', () => {
    make('protos/sluice/Big-Task/v1');
    expect(() => makeCapabilityLists(folder)).toThrow('protos/sluice/Big-Task');
  });
});
