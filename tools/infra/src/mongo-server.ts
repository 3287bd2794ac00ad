/**
 * MongoDB for development and tests, in this order: the server of SLUICE_MONGODB_URL, `mongod` on the PATH, a copy
 * downloaded earlier, a download where its host can be reached, a stand-in that speaks its protocol.
 */
import { externalServer } from './external-server';
import { type JavaServerProgram, javaServerSource, startJavaServer } from './mongo-java-server';
import { type MongodProgram, mongodSources, startMongod } from './mongod';
import type { RunningServer, ServerOptions } from './running-server';
import { firstSource, type FoundServer, type SearchOptions, type ServerSource } from './server-source';

export type MongoProgram = MongodProgram | JavaServerProgram;

export interface MongoServerOptions extends ServerOptions {
  /** False: the server of SLUICE_MONGODB_URL is not taken, for tests that stop theirs. */
  readonly external?: boolean;
  readonly progress?: (line: string) => void;
}

export const mongoSources: readonly ServerSource<MongoProgram>[] = [...mongodSources, javaServerSource];

export function findMongo(options: SearchOptions): Promise<FoundServer<MongoProgram>> {
  return firstSource('MongoDB server', mongoSources, options);
}

export async function startMongo(options: MongoServerOptions): Promise<RunningServer> {
  const url = process.env['SLUICE_MONGODB_URL'];
  if (url !== undefined && url !== '' && options.external !== false) return externalServer('MongoDB', url, 'SLUICE_MONGODB_URL');
  const { program, title } = await findMongo({ fetch: true, progress: options.progress ?? (() => undefined) });
  switch (program.kind) {
    case 'mongod':
      return startMongod(program, title, options);
    case 'mongo-java-server':
      return startJavaServer(program, title, options);
    default:
      return program satisfies never;
  }
}
