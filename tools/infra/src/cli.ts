/**
 * `npm run infra`: which servers development and tests would take on this machine.
 *
 *   npm run infra                     looks only
 *   npm run infra -- --get            gets what is missing
 *   npm run infra -- --get nats       only one of them: nats, mongodb
 *
 * Exit code 1: one of them cannot be had, or, without --get, is not here yet.
 */
import { withoutCredentials } from './external-server';
import { mongoSources } from './mongo-server';
import { natsSources } from './nats-server';
import { firstSource, type ServerSource } from './server-source';

interface Kind {
  readonly title: string;
  readonly variable: string;
  readonly sources: readonly ServerSource<unknown>[];
}

const KINDS: Readonly<Record<string, Kind>> = {
  nats: { title: 'NATS', variable: 'SLUICE_NATS_URL', sources: natsSources },
  mongodb: { title: 'MongoDB', variable: 'SLUICE_MONGODB_URL', sources: mongoSources },
};

async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((argument) => argument !== '--get');
  const unknown = names.find((name) => KINDS[name] === undefined);
  if (unknown !== undefined) {
    console.error(`unknown argument ${unknown}\nusage: npm run infra [-- [--get] [${Object.keys(KINDS).join('] [')}]]`);
    return 2;
  }
  const wanted = Object.entries(KINDS).filter(([name]) => names.length === 0 || names.includes(name));
  let all = true;
  for (const [, kind] of wanted) all = (await report(kind, args.includes('--get'))) && all;
  return all ? 0 : 1;
}

async function report({ title, variable, sources }: Kind, get: boolean): Promise<boolean> {
  const url = process.env[variable];
  if (url !== undefined && url !== '') {
    console.log(`${title}: ${withoutCredentials(url)} (${variable})`);
    return true;
  }
  try {
    const found = await firstSource(title, sources, { fetch: get, progress: (line) => console.error(`${title}: ${line}`) });
    console.log(`${title}: ${found.title}`);
    return true;
  } catch (error) {
    const ways = sources.filter((source) => source.fetch !== undefined).map((source) => source.title);
    console.log(get ? `${title}: ${(error as Error).message}` : `${title}: not here yet; --get tries ${ways.join(', then ')}`);
    return false;
  }
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
