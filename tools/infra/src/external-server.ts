/** A server that somebody else runs, named by a URL. We connect to it and leave its life alone. */
import type { RunningServer } from './running-server';

export function externalServer(what: string, url: string, variable: string): RunningServer {
  const notOurs = (): never => {
    throw new Error(`the ${what} server of ${variable} is not ours to stop or start`);
  };
  return {
    kind: 'external',
    url,
    describe: `${what} at ${withoutCredentials(url)} (${variable})`,
    pid: undefined,
    stop: async () => undefined,
    kill: async () => notOurs(),
    restart: async () => notOurs(),
    signal: notOurs,
  };
}

/** The URL as people may see it: user and password left out. */
export function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
