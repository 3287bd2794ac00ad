/** Thread that writes a file of named blocks. */
import { workerData } from 'node:worker_threads';
import { BlockWriter, type BlockWriterOptions } from './block-writer';
import { serveStorage } from './storage-thread-server';

serveStorage(() => ({ service: new BlockWriter(workerData as BlockWriterOptions), ready: undefined }));
