/** Thread that writes the event log. */
import { workerData } from 'node:worker_threads';
import { LogWriter, type LogWriterOptions } from './log-writer';
import { serveStorage } from './storage-thread-server';

serveStorage(() => {
  const service = new LogWriter(workerData as LogWriterOptions);
  return { service, ready: service.identity };
});
