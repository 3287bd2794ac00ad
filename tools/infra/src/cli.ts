/**
 * `npm run infra`: which servers development and tests would take on this machine. `npm run infra -- --get` gets them.
 */
import { withoutCredentials } from './external-server';
import { mongoSources } from './mongo-server';
import { natsSources } from './nats-server';
import { firstSource, type ServerSource } from './server-source';

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((argument) => argument !== '--get');
  if (unknown !== undefined) {
    console.error(`unknown argument ${unknown}\nusage: npm run infra [-- --get]`);
    return 2;
  }
  const get = args.includes('--get');
  const nats = await report('NATS', 'SLUICE_NATS_URL', natsSources, get);
  const mongo = await report('MongoDB', 'SLUICE_MONGODB_URL', mongoSources, get);
  return nats && mongo ? 0 : 1;
}

async function report(what: string, variable: string, sources: readonly ServerSource<unknown>[], get: boolean): Promise<boolean> {
  const url = process.env[variable];
  if (url !== undefined && url !== '') {
    console.log(`${what}: ${withoutCredentials(url)} (${variable})`);
    return true;
  }
  try {
    const { title } = await firstSource(what, sources, { fetch: get, progress: (line) => console.log(`${what}: ${line}`) });
    console.log(`${what}: ${title}`);
    return true;
  } catch (error) {
    const ways = sources.filter((source) => source.fetch !== undefined).map((source) => source.title);
    console.log(get ? `${what}: ${(error as Error).message}` : `${what}: not here yet; --get tries ${ways.join(', then ')}`);
    return !get;
  }
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
