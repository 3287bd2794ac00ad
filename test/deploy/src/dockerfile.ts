/** What deploy/Dockerfile says, read as a builder reads it: enough of its language for that one file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEPLOY } from './deploy-folder';

export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

export interface Stage {
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** What a container of the image has unless it is told otherwise. */
export interface ImageDefaults {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  readonly workingDirectory: string;
  readonly ports: readonly number[];
}

export function readStages(): readonly Stage[] {
  const text = readFileSync(join(DEPLOY, 'Dockerfile'), 'utf8');
  const lines = text
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const stages: { base: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (name === 'FROM') stages.push({ base: rest.split(' ')[0] ?? '', instructions: [] });
    else stages.at(-1)?.instructions.push({ name, rest });
  }
  return stages;
}

/** The last stage: what is shipped. */
export function imageStage(): Stage {
  const stage = readStages().at(-1);
  if (stage === undefined) throw new Error('deploy/Dockerfile has no stage');
  return stage;
}

export function imageDefaults(): ImageDefaults {
  const { instructions } = imageStage();
  const all = (name: string): string[] => instructions.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
  const last = (name: string): string => all(name).at(-1) ?? '';
  return {
    entrypoint: execForm(last('ENTRYPOINT')),
    command: execForm(last('CMD')),
    healthcheck: execForm(last('HEALTHCHECK').replace(/^.*?CMD /, '')),
    environment: Object.fromEntries(all('ENV').flatMap((pairs) => pairs.split(/\s+/).map((pair) => pair.split('=') as [string, string]))),
    user: last('USER'),
    workingDirectory: last('WORKDIR'),
    ports: all('EXPOSE').flatMap((ports) => ports.split(/\s+/).map(Number)),
  };
}

/** Throws for the shell form: a shell would be process 1 and keep signals for itself. */
function execForm(text: string): string[] {
  return JSON.parse(text) as string[];
}
