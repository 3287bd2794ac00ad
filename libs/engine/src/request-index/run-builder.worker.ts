/**
 * The thread that sorts: gets entries of one slice of a run, answers with them sorted; keeps the filter of the run that is being built.
 */
import { parentPort } from 'node:worker_threads';
import { Filter } from './filter';
import { addToFilter, sortEntries } from './run-builder';

export type RunBuilderRequest =
  | { readonly id: number; readonly kind: 'begin'; readonly run: string; readonly filterBytes: number }
  | { readonly id: number; readonly kind: 'sort'; readonly run: string; readonly entries: Int32Array }
  | { readonly id: number; readonly kind: 'finish'; readonly run: string };

export interface RunBuilderReply {
  readonly id: number;
  readonly entries?: Int32Array;
  readonly filter?: Uint8Array;
}

const filters = new Map<string, Filter>();

parentPort?.on('message', (request: RunBuilderRequest) => {
  switch (request.kind) {
    case 'begin':
      filters.set(request.run, Filter.ofBytes(request.filterBytes));
      parentPort?.postMessage({ id: request.id } satisfies RunBuilderReply);
      return;
    case 'sort': {
      const entries = sortEntries(request.entries);
      const filter = filters.get(request.run);
      if (filter !== undefined) addToFilter(filter, entries);
      parentPort?.postMessage({ id: request.id, entries } satisfies RunBuilderReply, [entries.buffer as ArrayBuffer]);
      return;
    }
    case 'finish': {
      const filter = filters.get(request.run)?.toBytes();
      filters.delete(request.run);
      parentPort?.postMessage({ id: request.id, filter } satisfies RunBuilderReply, filter === undefined ? [] : [filter.buffer as ArrayBuffer]);
      return;
    }
  }
});
