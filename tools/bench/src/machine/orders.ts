/**
 * How the harness talks to its processes: it sends an order, the process sends one answer, over Node's own channel.
 * A process ends when the harness does.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

interface Envelope<Body> {
  readonly id: number;
  readonly body: Body;
}

interface Failure {
  readonly id: number;
  readonly failure: string;
}

/** In a process of the harness: answers one order after the other's arrival, several at a time where they overlap. */
export function answerOrders<Order, Answer>(answer: (order: Order) => Promise<Answer>): void {
  process.on('message', ({ id, body }: Envelope<Order>) => {
    answer(body).then(
      (given) => process.send?.({ id, body: given } satisfies Envelope<Answer>),
      (error: unknown) => process.send?.({ id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) } satisfies Failure),
    );
  });
  process.on('disconnect', () => process.exit(0));
  // The harness decides when to stop; Ctrl-C reaches the whole group.
  process.on('SIGINT', () => {});
}

export interface Worker<Order, Answer> {
  ask(order: Order): Promise<Answer>;
  stop(): Promise<void>;
}

const PACKAGE_FOLDER = join(__dirname, '../..');

/**
 * Processes run what was built, also when the harness runs from source.
 *
 * @param entry like 'echo/echo.process'.
 * @param node the program that runs it.
 */
export function startWorker<Order, Answer>(entry: string, node = process.execPath): Worker<Order, Answer> {
  const child = fork(join(PACKAGE_FOLDER, 'dist', `${entry}.js`), [], {
    serialization: 'advanced',
    execArgv: [],
    execPath: node,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  let nextId = 1;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const failAll = (error: Error): void => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  child.on('error', failAll);
  child.once('exit', (code, signal) => failAll(new Error(`${entry} ended with ${signal ?? code} before it answered`)));
  child.on('message', (message: Envelope<Answer> | Failure) => {
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if ('failure' in message) asked?.reject(new Error(message.failure));
    else asked?.resolve(message.body);
  });
  return {
    ask: (order) =>
      new Promise<Answer>((resolve, reject) => {
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        child.send({ id, body: order } satisfies Envelope<Order>, (error) => {
          if (error === null) return;
          waiting.delete(id);
          reject(error);
        });
      }),
    stop: async () => {
      end(child);
      await exited;
    },
  };
}

function end(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  if (child.connected) child.disconnect();
  else child.kill();
}
