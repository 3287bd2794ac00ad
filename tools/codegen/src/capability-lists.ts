/**
 * The lists of capabilities, one per part of the system, made from the folders that exist. A capability is a folder of
 * protos/sluice that is not one of the engine's own; a part lists those that have a folder with an index there. So adding a
 * capability adds folders, and no list is kept by hand.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from './buf';

/** Packages of protos that every capability uses and that none of them is. */
const ENGINE_PROTOS: ReadonlySet<string> = new Set(['log', 'projection', 'scheduler']);
const CAPABILITY_NAME = /^[a-z][a-z0-9]*$/;
const LIST_FILE = 'capabilities.generated.ts';
const EXPORTS_FILE = 'public.generated.ts';
const HEADER = '/** Made by "npm run codegen" from the folders of the capabilities. Do not edit. */';

interface Part {
  /** The package. */
  readonly folder: string;
  /** Where in it the folders of the capabilities are. Default: src. */
  readonly sources?: string;
  /** What the index of a capability's folder exports. */
  readonly manifest: string;
  readonly list: string;
  /** Type of a manifest and the module that declares it; undefined: the list keeps the type of each manifest. */
  readonly type?: readonly [name: string, module: string];
  /** Module in a capability's folder whose exports the entry of the package has, too: they are gathered in a file of their own. */
  readonly exported?: string;
}

const PARTS: readonly Part[] = [
  { folder: 'apps/command', manifest: 'commandCapability', list: 'COMMAND_CAPABILITIES', type: ['CommandCapability', './command-capability'] },
  { folder: 'apps/query', manifest: 'queryCapability', list: 'QUERY_CAPABILITIES', type: ['QueryCapability', './query-capability'] },
  { folder: 'apps/sluice', manifest: 'cliCapability', list: 'CLI_CAPABILITIES', type: ['CliCapability', './cli-capability'] },
  { folder: 'libs/projections', manifest: 'projection', list: 'PROJECTIONS', type: ['Projection', './projection'] },
  { folder: 'libs/protocol', manifest: 'protocolCapability', list: 'PROTOCOL_CAPABILITIES' },
  { folder: 'libs/service', manifest: 'serviceCapability', list: 'SERVICE_CAPABILITIES' },
  { folder: 'libs/client', manifest: 'clientCapability', list: 'CLIENT_CAPABILITIES', exported: 'public' },
  {
    folder: 'test/simulation',
    sources: '.',
    manifest: 'simulatedCapability',
    list: 'SIMULATED_CAPABILITIES',
    type: ['SimulatedCapability', './simulated-capability'],
  },
];

/** Paths of all lists, there or not. */
export const CAPABILITY_LISTS: readonly string[] = PARTS.flatMap((part) => [
  pathIn(part, LIST_FILE),
  ...(part.exported === undefined ? [] : [pathIn(part, EXPORTS_FILE)]),
]);

/** Makes the lists of the workspace; the list of a part that no capability has a folder in is empty. */
export function makeCapabilityLists(root = workspaceRoot): Map<string, Buffer> {
  const capabilities = capabilitiesOf(root);
  const lists = new Map<string, Buffer>();
  for (const part of PARTS) {
    if (!existsSync(join(root, pathIn(part, '')))) continue;
    const present = capabilities.filter((name) => existsSync(join(root, pathIn(part, name), 'index.ts')));
    lists.set(pathIn(part, LIST_FILE), Buffer.from(listText(part, present), 'utf8'));
    if (part.exported !== undefined) lists.set(pathIn(part, EXPORTS_FILE), Buffer.from(exportsText(part.exported, present), 'utf8'));
  }
  return lists;
}

/** In the order of their names. Throws for a folder whose name cannot be a capability's. */
export function capabilitiesOf(root: string): string[] {
  const names = readdirSync(join(root, 'protos', 'sluice')).filter((name) => !ENGINE_PROTOS.has(name));
  for (const name of names) if (!CAPABILITY_NAME.test(name)) throw new Error(`protos/sluice/${name}: a capability has a name of lower-case letters and digits`);
  return names.sort();
}

function pathIn({ folder, sources = 'src' }: Part, name: string): string {
  return join(folder, sources, name);
}

function listText({ manifest, list, type }: Part, capabilities: readonly string[]): string {
  const imports = capabilities.map((name) => `import { ${manifest} as ${name} } from './${name}/index';`);
  if (type !== undefined) imports.push(`import type { ${type[0]} } from '${type[1]}';`);
  const names = `[${capabilities.join(', ')}]`;
  const declaration = type === undefined ? `export const ${list} = ${names} as const;` : `export const ${list}: readonly ${type[0]}[] = ${names};`;
  return [HEADER, ...imports, '', declaration, ''].join('\n');
}

function exportsText(module: string, capabilities: readonly string[]): string {
  return [HEADER, ...capabilities.map((name) => `export * from './${name}/${module}';`), ''].join('\n');
}
