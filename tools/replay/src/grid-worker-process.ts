/** A worker of the replay as a process of its own. It ends when the process that started it is gone. */
import { SluiceClient } from '@sluice/client';
import { type GridWorkerOptions, gridWorker } from './grid-worker';

async function main(): Promise<void> {
  const { target, ...options } = JSON.parse(process.argv[2] ?? '') as GridWorkerOptions & { readonly target: string };
  process.once('disconnect', () => process.exit(0));
  await gridWorker(new SluiceClient({ target }), options, (run) => process.send?.(run)).begin();
  process.send?.('working');
}

void main();
