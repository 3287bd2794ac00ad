import { SluiceClient } from '@sluice/client';

const sluice = new SluiceClient({ target: process.env.SLUICE_TARGET ?? '127.0.0.1:7400' });
const worker = sluice.tasks.worker({ queues: ['example'], capacity: 5 });
worker.handle('greet', async (task, { signal, progress }) => {
  const { names } = task.json();
  const greetings = [];
  for (const name of names) {
    if (signal.aborted) return undefined; // cancelled, or out of time: nobody wants the rest
    greetings.push(`hello ${name}`);
    progress(greetings.length, names.length, name);
  }
  return { greetings };
});
await worker.begin();
const { taskId } = await sluice.tasks.create('example', { type: 'greet', payload: { names: ['Ada', 'Grace'] }, limits: { startToFinishMs: 5_000 } });
for await (const task of sluice.tasks.watch(taskId)) console.log(task.state, task.result ? Buffer.from(task.result.body).toString() : '');
await worker.drain();
sluice.close();
