/** deploy/compose.yaml as `docker compose` reads it: merged, and with its variables filled in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Container, secretFor } from './container';
import { DEPLOY } from './deploy-folder';

export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly mem_limit?: string;
}

export const COMPOSE_TEXT = readFileSync(join(DEPLOY, 'compose.yaml'), 'utf8');
/** `${NAME:?}`: refused when it is not set or empty. */
const VARIABLE = /\$\{([A-Z_]+):\?\}/g;

/** As the file says, variables not filled in. */
export const composeServices = (parse(COMPOSE_TEXT, { merge: true }) as { services: Record<string, ComposeService> }).services;

export const composeVariables: readonly string[] = [...new Set([...COMPOSE_TEXT.matchAll(VARIABLE)].map(([, name = '']) => name))].sort();

export function composeContainers(): readonly Container[] {
  return Object.entries(composeServices).map(([name, service]) => {
    const environment = Object.entries(service.environment ?? {});
    return {
      name,
      image: service.image,
      args: service.command ?? [],
      environment: Object.fromEntries(environment.map(([variable, value]) => [variable, filledIn(value)])),
      secretVariables: environment.filter(([, value]) => new RegExp(VARIABLE).test(value)).map(([variable]) => variable),
      probes: probesOf(service),
      mounts: (service.volumes ?? []).map((volume) => volume.split(':')[1] ?? ''),
      stopSeconds: service.stop_grace_period === undefined ? undefined : Number(service.stop_grace_period.replace(/s$/, '')),
    };
  });
}

function probesOf({ healthcheck }: ComposeService): Container['probes'] {
  return healthcheck === undefined ? {} : { healthcheck: healthcheck.test.slice(1) };
}

export function filledIn(text: string): string {
  return text.replaceAll(VARIABLE, (_, name: string) => secretFor(name)).replaceAll('$$', '$');
}
