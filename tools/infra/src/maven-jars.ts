/**
 * The jars of mongo-java-server, by name and SHA-256: whatever way they come, other bytes are refused. An earlier launcher has them beside it in
 * the cache. Else Maven is asked first, because it knows the proxies and mirrors of the machine; without it Maven Central is asked directly.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder } from './cache-folder';
import { lastLine, onPath, runProgram } from './program-search';

const MAVEN_CENTRAL = 'https://repo1.maven.org/maven2';
const MAVEN_LIMIT_MS = 180_000;
const DOWNLOAD_LIMIT_MS = 60_000;

export const MONGO_JAVA_SERVER_VERSION = '1.47.0';

interface Jar {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
  readonly sha256: string;
}

const bwaldvogel = (artifact: string, sha256: string): Jar => ({ group: 'de.bwaldvogel', artifact, version: MONGO_JAVA_SERVER_VERSION, sha256 });
const netty = (artifact: string, sha256: string): Jar => ({ group: 'io.netty', artifact, version: '4.2.2.Final', sha256 });

const JARS: readonly Jar[] = [
  bwaldvogel('mongo-java-server-h2-backend', '58ca6760a25f8a05adfe8a0f7a8a042ca22bd472869028755931507cdce20e71'),
  bwaldvogel('mongo-java-server-core', '9a34c9ad6ac6261906295481838256033ec1efc8c93a3e3828e5d47a006b0bd4'),
  { group: 'com.h2database', artifact: 'h2', version: '2.3.232', sha256: '8dae62d22db8982c3dcb3826edb9c727c5d302063a67eef7d63d82de401f07d3' },
  netty('netty-buffer', '4820eeb2d3db269b20b30711e3d7d21979664249aaf10fc67f90dee935810747'),
  netty('netty-codec', '6a4ea3cedc831a377e20e32da5df4d2a47b954810e941138e3358e313db3a7f9'),
  netty('netty-codec-base', '76987614ccb2fda7d3292b69ba5b61351f30e91bf5c7d8fa4b51bc32c9f67456'),
  netty('netty-codec-compression', '005734e20aceb5e2c030033f7e042c81ee444497efd110cfca8de445642652ac'),
  netty('netty-codec-marshalling', 'ae8bb7a077ca02357c922e3abc1acf1bf191d5e2776721d69cbca50a16281096'),
  netty('netty-codec-protobuf', 'cfe0c7e6e68d83480a639b533eb7edaaf3252cfae8b73d0e362859673a4f9d97'),
  netty('netty-common', '5d022f3acad74cb0f195f60213500a4000d1340e5e941edaf1a0e756686b9bae'),
  netty('netty-handler', 'd4ef582c78125457baa0cfa52992b5fb1bb9172d1a2c03b726e8b26e17d3fe2c'),
  netty('netty-resolver', 'fa7841ffe2e39d52251814fb8560d6936b10ae7c67453ee50426b83fd5170ba0'),
  netty('netty-transport', '116d766a1af4722fe76a4cdaed969644985d44e08ec1337d2dbab697dd109603'),
  netty('netty-transport-native-unix-common', 'aa8821a7ea2ca47f62740bd1f37d67deb97824cc77e76dde6ae2c439a923fc9d'),
  { group: 'org.slf4j', artifact: 'slf4j-api', version: '2.0.17', sha256: '7b751d952061954d5abfed7181c1f645d336091b679891591d63329c622eb832' },
];

/** Fills the folder with the jars, verified. */
export async function fetchJars(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const reasons: string[] = [];
  for (const [name, way] of [
    ['the cache', fromCache],
    ['Maven', byMaven],
    ['Maven Central over HTTPS', byHttps],
  ] as const) {
    try {
      await way(folder);
      for (const jar of JARS) verify(jar, readFileSync(join(folder, fileOf(jar))));
      return;
    } catch (error) {
      reasons.push(`${name}: ${(error as Error).message}`);
    }
  }
  throw new Error(reasons.join('; '));
}

async function fromCache(folder: string): Promise<void> {
  const cache = cacheFolder();
  const folders = readdirSync(cache).map((name) => join(cache, name, 'jars'));
  const known = folders.find((jars) => jars !== folder && JARS.every((jar) => existsSync(join(jars, fileOf(jar)))));
  if (known === undefined) throw new Error('no launcher with these jars is there');
  for (const jar of JARS) copyFileSync(join(known, fileOf(jar)), join(folder, fileOf(jar)));
}

async function byMaven(folder: string): Promise<void> {
  const maven = onPath('mvn');
  if (maven === undefined) throw new Error('mvn is not on the PATH');
  const project = join(folder, 'pom.xml');
  writeFileSync(project, projectFile());
  const args = ['--batch-mode', '--quiet', '--file', project, 'dependency:copy-dependencies', '-DexcludeTransitive=true', `-DoutputDirectory=${folder}`];
  const result = await runProgram(maven, args, { timeoutMs: MAVEN_LIMIT_MS });
  if (result.code !== 0) throw new Error(lastLine(result.stdout) || lastLine(result.stderr));
}

function projectFile(): string {
  const dependencies = JARS.map(
    ({ group, artifact, version }) => `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>sluice</groupId><artifactId>infra</artifactId><version>1</version><packaging>pom</packaging>',
    `<dependencies>${dependencies.join('')}</dependencies></project>`,
  ].join('');
}

async function byHttps(folder: string): Promise<void> {
  for (const jar of JARS) {
    const url = `${MAVEN_CENTRAL}/${jar.group.replaceAll('.', '/')}/${jar.artifact}/${jar.version}/${fileOf(jar)}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_LIMIT_MS) });
    if (!response.ok) throw new Error(`${url}: status ${response.status}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    verify(jar, bytes);
    const file = join(folder, fileOf(jar));
    writeFileSync(`${file}.part`, bytes);
    renameSync(`${file}.part`, file);
  }
}

function fileOf(jar: Jar): string {
  return `${jar.artifact}-${jar.version}.jar`;
}

function verify(jar: Jar, bytes: Buffer): void {
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== jar.sha256) throw new Error(`${fileOf(jar)} is not what it should be: SHA-256 ${found}`);
}
