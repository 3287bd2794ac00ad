/**
 * Lint finds what it is there to find. For each rule a line that breaks it is linted as the gate lints, so that a rule which another tool, or another
 * version of it, knows under another name or not at all is missed here.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageFolders, readManifest, ROOT } from './manifests';

const MAXIMUM_OUTPUT_BYTES = 16 << 20;
const PLAIN = 'apps/query/src/planted';
const PURE = 'libs/domain/src/planted';
const TEST = 'apps/query/src/planted.unit';
const PROGRAM = 'tools/replay/src/planted';

interface Planted {
  readonly rule: string;
  readonly code: string;
  /** Where it stands; default: in a service. */
  readonly place?: string;
}

/** A complaint of oxlint. */
interface Complaint {
  readonly code?: string;
  readonly filename: string;
  readonly message: string;
}

const UNTYPED: readonly Planted[] = [
  { rule: 'eqeqeq', code: 'export const same = (left: number, right: number): boolean => left == right;' },
  { rule: 'no-array-constructor', code: 'export const list = new Array(0, 1);' },
  { rule: 'no-console', code: "console.log('here');" },
  { rule: 'no-restricted-globals', code: 'export const now = (): number => Date.now();', place: PURE },
  { rule: 'no-restricted-globals', code: 'setTimeout(() => undefined, 1);', place: PURE },
  { rule: 'no-restricted-imports', code: "export { decide } from '@sluice/domain/account/posting';" },
  { rule: 'no-restricted-imports', code: "export { decide } from '@sluice/engine/partition';" },
  { rule: 'no-restricted-imports', code: "export { readFileSync } from 'node:fs';", place: PURE },
  { rule: 'no-restricted-imports', code: "export { readFileSync } from 'fs';", place: PURE },
  { rule: 'no-restricted-properties', code: 'export const drawn = (): number => Math.random();', place: PURE },
  { rule: 'no-unused-expressions', code: 'const one = 1;\none + 1;\nexport default one;' },
  { rule: 'no-unused-vars', code: 'const unused = 1;\nexport {};' },
  { rule: 'no-unused-vars', code: 'export const first = (one: number, other: number): number => one;' },
  { rule: 'no-var', code: 'export var one = 1;' },
  { rule: 'prefer-const', code: 'let one = 1;\nexport { one };' },
  { rule: 'prefer-rest-params', code: 'export function count(): unknown { return arguments[0]; }' },
  { rule: 'prefer-spread', code: 'export const largest = (all: number[]): number => Math.max.apply(Math, all);' },
  { rule: 'ban-ts-comment', code: '// @ts-ignore\nexport const one = 1;' },
  { rule: 'consistent-type-imports', code: "import { Server } from 'node:net';\nexport type Servers = Server[];" },
  { rule: 'no-duplicate-enum-values', code: 'export enum Two { One = 1, Other = 1 }' },
  { rule: 'no-empty-object-type', code: 'export type Anything = {};' },
  { rule: 'no-explicit-any', code: 'export type Anything = any;' },
  { rule: 'no-extra-non-null-assertion', code: 'export const length = (text?: string): number => text!!.length;' },
  { rule: 'no-misused-new', code: 'export interface Thing { new (): Thing }' },
  { rule: 'no-namespace', code: 'export namespace Things { export const one = 1; }' },
  { rule: 'no-non-null-asserted-optional-chain', code: 'export const length = (text?: string): number => text?.length!;' },
  { rule: 'no-require-imports', code: "export const fs: unknown = require('node:fs');" },
  { rule: 'no-this-alias', code: 'export class Thing { own(): Thing { const self = this; return self; } }' },
  { rule: 'no-unnecessary-type-constraint', code: 'export const same = <Value extends unknown>(value: Value): Value => value;' },
  { rule: 'no-unsafe-declaration-merging', code: 'export interface Thing { one: number }\nexport class Thing {}' },
  { rule: 'no-unsafe-function-type', code: 'export type Call = Function;' },
  { rule: 'no-wrapper-object-types', code: 'export type Text = String;' },
  { rule: 'prefer-as-const', code: "export const one: 'one' = 'one';" },
  { rule: 'prefer-namespace-keyword', code: 'declare module Things { const one: number }\nexport type One = typeof Things.one;' },
  { rule: 'triple-slash-reference', code: '/// <reference path="./other.ts" />\nexport const one = 1;' },
];

const TYPED: readonly Planted[] = [
  { rule: 'await-thenable', code: 'export const one = async (): Promise<number> => await 1;' },
  { rule: 'no-array-delete', code: 'export const drop = (list: number[]): void => { delete list[0]; };' },
  { rule: 'no-base-to-string', code: 'export const text = (thing: object): string => String(thing);' },
  { rule: 'no-duplicate-type-constituents', code: 'export type One = 1 | 1;' },
  { rule: 'no-floating-promises', code: 'Promise.resolve(1);\nexport {};' },
  { rule: 'no-for-in-array', code: 'export function each(list: number[]): void { for (const at in list) throw new Error(at); }' },
  { rule: 'no-implied-eval', code: "setTimeout('1', 1);\nexport {};" },
  { rule: 'no-misused-promises', code: "export const is = (): string => (Promise.resolve(true) ? 'yes' : 'no');" },
  { rule: 'no-misused-promises', code: 'export const all = (list: number[]): void => list.forEach(async () => { await Promise.resolve(); });' },
  { rule: 'no-redundant-type-constituents', code: 'export type Anything = unknown | string;' },
  { rule: 'no-unnecessary-type-assertion', code: 'export const same = (one: number): number => one as number;' },
  { rule: 'no-unsafe-argument', code: "export const parsed = (): number => Number.parseInt(JSON.parse('1'), 10);" },
  { rule: 'no-unsafe-assignment', code: "const one = JSON.parse('1');\nexport const text = String(one);" },
  { rule: 'no-unsafe-call', code: "JSON.parse('1')();\nexport {};" },
  { rule: 'no-unsafe-member-access', code: "export const one: unknown = JSON.parse('1').one;" },
  { rule: 'no-unsafe-return', code: "export const one = (): number => JSON.parse('1');" },
  { rule: 'no-unsafe-unary-minus', code: 'export const minus = (text: string): number => -text;' },
  { rule: 'only-throw-error', code: "export function fail(): never { throw 'text'; }" },
  { rule: 'prefer-promise-reject-errors', code: "export const failed = (): Promise<void> => Promise.reject('text');" },
  { rule: 'restrict-plus-operands', code: 'export const sum = (thing: unknown): unknown => thing + "text";' },
  {
    rule: 'switch-exhaustiveness-check',
    code: "export function numberOf(name: 'one' | 'two'): number {\n  switch (name) { case 'one': return 1; }\n  return 2;\n}",
  },
  { rule: 'unbound-method', code: 'class Thing { own(): Thing { return this; } }\nexport const own = new Thing().own;' },
];

const OWN: readonly Planted[] = [
  { rule: 'capability-boundaries', code: "import { AccountState } from '../account/account-state';", place: 'apps/command/src/task/planted' },
  { rule: 'capability-boundaries', code: "export { AccountState } from '../account';", place: 'apps/command/src/task/planted' },
  { rule: 'capability-boundaries', code: "export * from '../../account/account-message';", place: 'apps/query/src/task/deep/planted' },
  { rule: 'capability-boundaries', code: "import { ACCOUNTS } from '@sluice/projections/account';", place: 'apps/query/src/task/planted' },
  { rule: 'capability-boundaries', code: "import type { AccountPart } from '../account/account-event';", place: 'libs/projections/src/task/planted' },
  { rule: 'capability-boundaries', code: "const account = import('../account/index');", place: 'libs/client/src/task/planted' },
  { rule: 'capability-boundaries', code: "import { decidePosting } from '@sluice/domain/account';", place: 'libs/domain/src/task/planted' },
  { rule: 'capability-boundaries', code: "import { decidePosting } from '../account/posting';", place: 'libs/domain/src/task/planted.unit' },
  { rule: 'capability-boundaries', code: "import { LedgerModel } from '../account/ledger-model';", place: 'test/simulation/task/planted' },
  { rule: 'enforce-module-boundaries', code: "export { Partition } from '@sluice/engine';", place: 'libs/ports/src/planted' },
  { rule: 'enforce-module-boundaries', code: "export { credentials } from '@grpc/grpc-js';", place: 'libs/ports/src/planted' },
  { rule: 'enforce-module-boundaries', code: "export { Partition } from '../../engine/src/index';" },
];

/** What stands there by right. */
const ALLOWED: readonly Omit<Planted, 'rule'>[] = [
  { code: "export const text = String(JSON.parse('1').one);", place: TEST },
  { code: "export { Partition } from '@sluice/engine';", place: 'libs/testing/src/planted.unit' },
  { code: 'export const now = (): number => Date.now();', place: 'libs/domain/src/planted.unit' },
  { code: "console.log('here');", place: PROGRAM },
  { code: 'export const text = (one: bigint): string => `${one}`;' },
  { code: 'export const one = async (): Promise<number> => 1;' },
  { code: 'export const first = (one: number, _other: number): number => one;' },
  { code: "export function numberOf(name: 'one' | 'two'): number {\n  switch (name) { case 'one': return 1; default: return 2; }\n}" },
  { code: "export { decide } from '@sluice/domain/task';" },
  { code: "export { decide } from '@sluice/domain';" },
  { code: "export { decide } from '@sluice/protocol/account';" },
  { code: "export { decide } from '@sluice/projections/account';" },
  { code: "export { commandMethod } from '../methods/command-method';", place: 'apps/command/src/task/planted' },
  { code: "export { decide } from '@sluice/domain/task';", place: 'apps/command/src/task/planted' },
  { code: "export type { AccountView } from '@sluice/domain/account';", place: 'apps/command/src/task/planted' },
  { code: "export { checkKey } from '../request-shape';", place: 'apps/query/src/task/planted' },
  { code: "export { queryCapability } from './account/index';" },
  { code: "export * from './task-projection';", place: 'libs/projections/src/task/planted' },
];

const planted = [...UNTYPED, ...TYPED, ...OWN].map((each, at) => ({ ...each, file: fileOf(each, at) }));
const allowed = ALLOWED.map((each, at) => ({ ...each, file: fileOf(each, planted.length + at) }));

/** One for each, so that none speaks for another: "apps/query/src/planted-7.ts". */
function fileOf({ place = PLAIN }: Pick<Planted, 'place'>, at: number): string {
  return place.replace('planted', `planted-${at}`).concat('.ts');
}

let folder: string;
/** File → rules that complain of it. */
let found: ReadonlyMap<string, readonly string[]>;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-lint-')));
  for (const { file, code } of [...planted, ...allowed]) write(file, code);
  write('tsconfig.json', JSON.stringify({ extends: join(ROOT, 'tsconfig.base.json'), include: ['**/*.ts'], exclude: ['node_modules'] }));
  for (const name of ['.oxlintrc.jsonc', 'nx.json', 'package.json', 'tsconfig.base.json', 'tools/lint'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'protos'), join(folder, 'protos'));
  linkPackages();
  found = rulesByFile();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

/** What is installed; the packages of the workspace are those of the folder. */
function linkPackages(): void {
  const [installed, modules] = [join(ROOT, 'node_modules'), join(folder, 'node_modules')];
  mkdirSync(join(modules, '@sluice'), { recursive: true });
  for (const name of readdirSync(installed)) if (name !== '@sluice') symlinkSync(join(installed, name), join(modules, name));
  for (const place of packageFolders()) {
    const manifest = join(place, 'package.json');
    write(manifest, readFileSync(join(ROOT, manifest), 'utf8'));
    symlinkSync(join(folder, place), join(modules, readManifest(join(ROOT, place)).name));
  }
}

/** The linter's complaints, with the projects of the workspace as nx knows them. */
function rulesByFile(): Map<string, string[]> {
  const environment = { ...process.env, NX_DAEMON: 'false' };
  execFileSync(process.execPath, [require.resolve('nx/bin/nx.js'), 'show', 'projects'], { cwd: ROOT, env: environment, stdio: 'ignore' });
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'node_modules/oxlint/bin/oxlint'), '--format', 'json', 'apps', 'libs', 'test', 'tools'], {
    cwd: folder,
    env: { ...environment, NX_WORKSPACE_ROOT_PATH: folder, NX_WORKSPACE_DATA_DIRECTORY: join(ROOT, '.nx/workspace-data') },
    encoding: 'utf8',
    maxBuffer: MAXIMUM_OUTPUT_BYTES,
  });
  expect(stderr).toBe('');
  const rules = new Map<string, string[]>();
  for (const { code = '', filename } of (JSON.parse(stdout) as { diagnostics: Complaint[] }).diagnostics)
    rules.set(filename, [...(rules.get(filename) ?? []), /\((.*)\)/.exec(code)?.[1] ?? code]);
  return rules;
}

test.each(planted)('$rule finds $code', ({ rule, file }) => {
  expect(found.get(file)).toContain(rule);
});

test.each(allowed)('nothing complains of $code in $file', ({ file }) => {
  expect(found.get(file) ?? []).toEqual([]);
});
