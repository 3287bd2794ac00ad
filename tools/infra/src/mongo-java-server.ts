/**
 * mongo-java-server: a stand-in that speaks MongoDB's wire protocol, for machines where no mongod can be had.
 *
 * It is for development and tests. It proves that the requests, filters and fences are right. It proves nothing about
 * majority, journal, failover or speed: it is one process, its disk writes are not synchronous (stop it gracefully, never
 * judge durability by killing it), and it scans whole collections for filters without the `_id`, and for ranges.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

import { cacheFolder, cachedFolder } from './cache-folder';
import { fetchJars, MONGO_JAVA_SERVER_VERSION } from './maven-jars';
import { isExecutable, lastLine, onPath, runProgram } from './program-search';
import type { RunningServer, ServerOptions } from './running-server';
import { startServerProcess } from './server-process';
import type { ServerSource } from './server-source';

const OLDEST_JAVA = 17;
const QUESTION_LIMIT_MS = 10_000;
const COMPILE_LIMIT_MS = 60_000;
const LAUNCHER = 'de.bwaldvogel.mongo.backend.h2.MongoJavaServer';
/** Beside `src` and `dist` alike. */
const LAUNCHER_SOURCE = join(__dirname, '..', 'java', 'MongoJavaServer.java');

export interface JavaServerProgram {
  readonly kind: 'mongo-java-server';
  readonly java: string;
  readonly classpath: string;
}

export const javaServerSource: ServerSource<JavaServerProgram> = {
  title: `mongo-java-server ${MONGO_JAVA_SERVER_VERSION}, a stand-in for development and tests`,
  look: async () => {
    const folder = join(cacheFolder(), cacheName());
    const java = findJava();
    return java !== undefined && existsSync(folder) ? programIn(folder, java) : undefined;
  },
  fetch: async (progress) => {
    const java = findJava();
    if (java === undefined) throw new Error('Java is not installed');
    const compiler = [join(dirname(java), 'javac'), onPath('javac')].find((file) => file !== undefined && isExecutable(file));
    if (compiler === undefined) throw new Error('Java is here without its compiler; a JDK is needed');
    const version = await javaVersion(java);
    if (version < OLDEST_JAVA) throw new Error(`Java ${version} is too old, ${OLDEST_JAVA} is needed`);
    progress(`getting mongo-java-server ${MONGO_JAVA_SERVER_VERSION} from Maven Central (once)`);
    const folder = await cachedFolder(cacheName(), async (making) => {
      await fetchJars(join(making, 'jars'));
      const result = await runProgram(compiler, ['-cp', join(making, 'jars', '*'), '-d', making, LAUNCHER_SOURCE], { timeoutMs: COMPILE_LIMIT_MS });
      if (result.code !== 0) throw new Error(`javac: ${lastLine(result.stderr)}`);
    });
    return programIn(folder, java);
  },
};

export function startJavaServer(program: JavaServerProgram, title: string, options: ServerOptions): Promise<RunningServer> {
  mkdirSync(options.dataDir, { recursive: true });
  return startServerProcess({
    kind: 'mongo-java-server',
    describe: title,
    dataDir: options.dataDir,
    port: options.port ?? 0,
    apart: options.apart ?? false,
    command: (port) => ({
      file: program.java,
      // Most of its lives last less than a minute: compiling more than quickly costs more than it gains.
      args: ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', program.classpath, LAUNCHER, join(options.dataDir, 'mongo.h2'), String(port)],
    }),
    readyLine: /listening on port (\d+)/,
    url: (port) => `mongodb://127.0.0.1:${port}/sluice`,
  });
}

/** Another launcher is another entry in the cache. */
function cacheName(): string {
  const launcher = createHash('sha256').update(readFileSync(LAUNCHER_SOURCE)).digest('hex').slice(0, 8);
  return `mongo-java-server-${MONGO_JAVA_SERVER_VERSION}-${launcher}`;
}

function programIn(folder: string, java: string): JavaServerProgram {
  return { kind: 'mongo-java-server', java, classpath: [folder, join(folder, 'jars', '*')].join(delimiter) };
}

function findJava(): string | undefined {
  const home = process.env['JAVA_HOME'];
  const inHome = home === undefined ? undefined : join(home, 'bin', 'java');
  return inHome !== undefined && isExecutable(inHome) ? inHome : onPath('java');
}

async function javaVersion(java: string): Promise<number> {
  const { stderr } = await runProgram(java, ['-version'], { timeoutMs: QUESTION_LIMIT_MS });
  return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
}
