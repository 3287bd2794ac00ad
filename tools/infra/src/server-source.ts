/**
 * Ways to come by a server program, tried in order. A way looks on the machine first (`look`, at once and without the
 * network) and may know how to get it (`fetch`, which may take a minute).
 */
import { ServerNotFoundError } from './running-server';

export interface ServerSource<Program> {
  /** For people, like "nats-server on the PATH". */
  readonly title: string;
  /** The program if it is here already. */
  look(): Promise<Program | undefined>;
  /** Gets it; throws with a one-line reason where it cannot. Undefined: there is nothing to get this way. */
  fetch?(progress: (line: string) => void): Promise<Program>;
}

export interface FoundServer<Program> {
  readonly program: Program;
  readonly title: string;
}

export interface SearchOptions {
  /** False: only look, fetch nothing. */
  readonly fetch: boolean;
  readonly progress: (line: string) => void;
}

/** The first way that works, in the order of the sources: each is looked at and then fetched before the next has its turn. */
export async function firstSource<Program>(what: string, sources: readonly ServerSource<Program>[], options: SearchOptions): Promise<FoundServer<Program>> {
  const tried: string[] = [];
  for (const source of sources) {
    const here = await source.look();
    if (here !== undefined) return { program: here, title: source.title };
    if (source.fetch === undefined || !options.fetch) {
      tried.push(`${source.title}: not here`);
      continue;
    }
    try {
      return { program: await source.fetch(options.progress), title: source.title };
    } catch (error) {
      tried.push(`${source.title}: ${(error as Error).message}`);
    }
  }
  throw new ServerNotFoundError(what, tried);
}
