import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyDifferences, compareArtifacts, committedArtifacts, DESCRIPTOR_FILE, GENERATED_FOLDER, makeArtifacts } from './artifacts';
import { checkBreaking } from './baseline';
import { buf, BufError } from './buf';

test('the protos are clean and what is made from them is committed', () => {
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
