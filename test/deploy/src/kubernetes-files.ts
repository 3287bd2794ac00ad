/**
 * A folder of Kubernetes files as `kubectl apply -k` makes them: resources, generated config maps, patches. Of kustomize's language it
 * knows what these files use, and throws at anything else.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { type Container, secretFor } from './container';
import { DEPLOY } from './deploy-folder';

interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

export interface Probe {
  readonly exec?: { readonly command: readonly string[] };
  readonly httpGet?: { readonly path: string; readonly port: number };
  readonly timeoutSeconds?: number;
}

export interface PodContainer {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly EnvironmentVariable[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly resources?: { readonly requests?: Readonly<Record<string, string>>; readonly limits?: Readonly<Record<string, string>> };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

export interface PodSpec {
  readonly containers: readonly PodContainer[];
  readonly volumes?: readonly { readonly name: string; readonly secret?: { readonly secretName: string }; readonly configMap?: { readonly name: string } }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly automountServiceAccountToken?: boolean;
  readonly enableServiceLinks?: boolean;
  readonly terminationGracePeriodSeconds?: number;
}

export interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly template?: { readonly spec: PodSpec };
    readonly serviceName?: string;
    readonly ports?: readonly { readonly port: number }[];
  } & Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
}

export interface Workload {
  readonly name: string;
  readonly kind: string;
  readonly pod: PodSpec;
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator?: readonly { readonly name: string; readonly behavior?: 'merge'; readonly literals: readonly string[] }[];
  readonly patches?: readonly { readonly target: { readonly name: string; readonly kind: string }; readonly patch: string }[];
}

const FILE = 'kustomization.yaml';

export function kustomizationText(folder: string): string {
  return readFileSync(join(DEPLOY, folder, FILE), 'utf8');
}

/** @param folder relative to deploy/ */
export function resourcesOf(folder: string): readonly Resource[] {
  return build(join(DEPLOY, folder));
}

function build(folder: string): Resource[] {
  const { resources: paths, configMapGenerator = [], patches = [] } = parse(readFileSync(join(folder, FILE), 'utf8')) as Kustomization;
  const resources = paths.flatMap((path) => {
    const place = join(folder, path);
    return statSync(place).isDirectory() ? build(place) : documentsOf(place);
  });
  for (const { name, behavior, literals } of configMapGenerator) {
    const data = Object.fromEntries(literals.map((literal) => [literal.slice(0, literal.indexOf('=')), literal.slice(literal.indexOf('=') + 1)]));
    const index = resources.findIndex((resource) => resource.kind === 'ConfigMap' && resource.metadata.name === name);
    if (index >= 0 !== (behavior === 'merge')) throw new Error(`config map ${name}: ${index >= 0 ? 'it exists already' : 'there is nothing to merge into'}`);
    if (index < 0) resources.push({ kind: 'ConfigMap', metadata: { name }, data });
    else resources[index] = { ...(resources[index] as Resource), data: { ...resources[index]?.data, ...data } };
  }
  for (const { target, patch } of patches) {
    const fits = (resource: Resource): boolean => matches(target.name, resource.metadata.name) && matches(target.kind, resource.kind);
    const operations = parse(patch) as { op: string; path: string; value: unknown }[];
    if (!resources.some(fits)) throw new Error(`a patch for ${target.kind} ${target.name} fits nothing`);
    for (const resource of resources.filter(fits)) for (const operation of operations) add(resource, operation);
  }
  return resources;
}

function documentsOf(file: string): Resource[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document) => {
    for (const error of document.errors) throw error;
    return document.toJS() as Resource;
  });
}

function matches(pattern: string, text: string): boolean {
  return new RegExp(`^(?:${pattern})$`).test(text);
}

/** JSON patch (RFC 6902), `add` of a key that is not there yet. */
function add(resource: Resource, { op, path, value }: { op: string; path: string; value: unknown }): void {
  const keys = path.slice(1).split('/');
  const last = keys.pop() ?? '';
  const parent = keys.reduce<Record<string, unknown>>((place, key) => place[key] as Record<string, unknown>, resource as unknown as Record<string, unknown>);
  if (op !== 'add' || last in parent) throw new Error(`${op} ${path} is not understood here`);
  parent[last] = value;
}

export function workloadsOf(resources: readonly Resource[]): readonly Workload[] {
  return resources.flatMap(({ kind, metadata, spec }) => (spec?.template === undefined ? [] : [{ name: metadata.name, kind, pod: spec.template.spec }]));
}

/** What the fields of a pod hold, for variables that are taken from it. */
const POD_FIELDS: Readonly<Record<string, string>> = { 'metadata.name': 'command-0', 'metadata.namespace': 'sluice' };

/** @param secret value of a key of the secret `sluice` */
export function kubernetesContainers(folder: string, secret: (key: string) => string = secretFor): readonly Container[] {
  const resources = resourcesOf(folder);
  return workloadsOf(resources).flatMap(({ pod }) => pod.containers.map((container) => containerOf(container, pod, resources, secret)));
}

function containerOf(container: PodContainer, pod: PodSpec, resources: readonly Resource[], secret: (key: string) => string): Container {
  const { name, image, args = [], env = [], envFrom = [], volumeMounts = [] } = container;
  const environment: Record<string, string> = {};
  for (const { configMapRef } of envFrom) Object.assign(environment, configMap(resources, configMapRef.name));
  for (const variable of env) environment[variable.name] = valueOf(variable, environment, secret);
  const probes = { startup: container.startupProbe, readiness: container.readinessProbe, liveness: container.livenessProbe };
  const commands = Object.entries(probes).flatMap(([kind, probe]) => (probe?.exec === undefined ? [] : [[kind, probe.exec.command] as const]));
  return {
    name,
    image,
    args,
    environment,
    secretVariables: env.filter(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined).map((variable) => variable.name),
    probes: Object.fromEntries(commands),
    mounts: volumeMounts.map(({ mountPath }) => mountPath),
    stopSeconds: pod.terminationGracePeriodSeconds,
  };
}

function configMap(resources: readonly Resource[], name: string): Readonly<Record<string, string>> {
  const found = resources.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);
  if (found?.data === undefined) throw new Error(`there is no config map ${name}`);
  return found.data;
}

function valueOf({ name, value, valueFrom }: EnvironmentVariable, known: Readonly<Record<string, string>>, secret: (key: string) => string): string {
  if (valueFrom?.secretKeyRef !== undefined) return secret(valueFrom.secretKeyRef.key);
  if (valueFrom?.fieldRef !== undefined) {
    const field = POD_FIELDS[valueFrom.fieldRef.fieldPath];
    if (field === undefined) throw new Error(`${name}: ${valueFrom.fieldRef.fieldPath} is not known here`);
    return field;
  }
  return (value ?? '').replaceAll(/\$\(([A-Z_]+)\)/g, (_, variable: string) => {
    const found = known[variable];
    if (found === undefined) throw new Error(`${name} uses ${variable}, which must come before it`);
    return found;
  });
}
