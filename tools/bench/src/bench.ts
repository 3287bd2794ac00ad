/**
 * What every scenario is made of: servers under test, the load generator, the echo and the rivals, and the account of what
 * was acknowledged. Everything that is started here ends with the run.
 */
import { Progress } from '@sluice/terminal';
import { tmpdir } from 'node:os';
import type { EchoAnswer, EchoOrder } from './echo/echo-order';
import type { Calls, LoadAnswer, LoadOrder } from './load/load-order';
import { creditOf } from './load/request-frame';
import { fsyncMs } from './machine/fsync-probe';
import { startWorker, type Worker } from './machine/orders';
import { isInMemory, Scratch } from './machine/scratch';
import { unpackHistogram } from './measure/latency';
import { sampleLag } from './measure/lag';
import { measureInterleaved, type Measured, type Rounds, type Side } from './measure/rounds';
import type { BenchOptions } from './options';
import type { PostgresOrder } from './rival/postgres-order';
import { findPostgres, type PostgresFound } from './rival/postgres-cluster';
import type { RedisOrder } from './rival/redis-order';
import type { RivalAnswer, RowLockOrder } from './rival/rival-order';
import { Control } from './server/control';
import { EMBEDDED, ServerUnderTest, type Program } from './server/server-under-test';

/** Not measured at the start of every window: connections settle, queues fill. */
const WARM_UP_MS = 300;

const POSTGRES_SIDES: Readonly<Record<PostgresOrder['way'], string>> = {
  rowLock: 'row lock on PostgreSQL, 64 clients',
  batch: 'batches on PostgreSQL',
  twoRows: 'two rows on PostgreSQL, 64 clients',
  twoRowsOfMany: 'two rows of 100,000 on PostgreSQL, 64 clients',
  scores: 'an UPDATE per score on PostgreSQL, 64 clients',
  reservations: 'an INSERT … ON CONFLICT or an UPDATE per request on PostgreSQL, 64 clients',
  places: 'a capacity row with FOR UPDATE on PostgreSQL, 64 clients',
};

/** What is loaded: one process, or several that share the work. */
export interface Target {
  readonly name: string;
  /** Where postings go, in turn. */
  readonly addresses: readonly string[];
  readonly control: Control;
  /** Postings that it acknowledged to the load generator or to the harness. */
  acknowledged: number;
}

/** All services in one process, with their data in a folder. */
export interface EmbeddedTarget extends Target {
  readonly server: ServerUnderTest;
  readonly dataFolder: string;
}

export class Bench {
  readonly progress = new Progress();
  readonly scratch: Scratch;
  /** What went wrong without stopping the run: refused or failed calls. */
  readonly complaints: string[] = [];
  /** What one should know when reading the figures. */
  readonly remarks: string[] = [];
  readonly #servers: ServerUnderTest[] = [];
  #load: Worker<LoadOrder, LoadAnswer> | undefined;

  constructor(readonly options: BenchOptions) {
    this.scratch = new Scratch(options.folder ?? tmpdir());
  }

  get windowMs(): number {
    return this.options.seconds * 1_000;
  }

  get warmUpMs(): number {
    return Math.min(WARM_UP_MS, this.windowMs);
  }

  /** Median milliseconds of a durable write where the data lives. */
  async probeDisk(): Promise<number> {
    const folder = this.scratch.folder('probe');
    if (await isInMemory(folder)) this.remarks.push(`${folder} is in memory: nothing here is durable. Give --dir a folder on a disk.`);
    return fsyncMs(folder);
  }

  async startServer(program: Program, environment: Readonly<Record<string, string>>): Promise<ServerUnderTest> {
    const server = await ServerUnderTest.start({ program, environment, profileFolder: this.options.profile, adopt: (child) => this.scratch.adopt(child) });
    this.#servers.push(server);
    this.scratch.defer(() => server.stop());
    return server;
  }

  async startEmbedded(name: string, environment: Readonly<Record<string, string>> = {}, dataFolder = this.scratch.folder('data')): Promise<EmbeddedTarget> {
    this.progress.step(`starting ${name}`);
    const server = await this.startServer(EMBEDDED, { SLUICE_DATA_DIR: dataFolder, ...environment });
    return { name, server, addresses: [server.address], control: this.controlOf(server.address), dataFolder, acknowledged: 0 };
  }

  /** @param addresses of command, query and projector where they are processes of their own. */
  controlOf(...addresses: ConstructorParameters<typeof Control>): Control {
    const control = new Control(...addresses);
    this.scratch.defer(() => control.close());
    return control;
  }

  /** What the newest server said last, if it has ended although nobody stopped it. */
  get obituary(): string | undefined {
    return this.#servers.at(-1)?.obituary;
  }

  /** One posting by the harness itself; resolves with the reply's position token. */
  async postOnce(target: Target, accountId: string, requestId: string): Promise<string> {
    const token = await target.control.post({ ...creditOf(accountId, 1n), requestId });
    target.acknowledged += 1;
    return token;
  }

  /** An echo server whose answers carry a token as long as the given one. */
  async startEcho(positionToken: string): Promise<string> {
    const echo = this.startWorker<EchoOrder, EchoAnswer>('echo/echo.process');
    return (await echo.ask({ positionToken })).address;
  }

  /** Loads the server with the calls, and the answers count. */
  async load(target: Target, order: Omit<LoadOrder, 'addresses' | 'connections'>): Promise<LoadAnswer> {
    const answer = await this.generate({
      ...order,
      addresses: target.addresses,
      connections: Math.max(target.addresses.length, this.#connections(order.inFlight)),
    });
    target.acknowledged += answer.acknowledged;
    this.#note(target.name, answer);
    return answer;
  }

  generate(order: LoadOrder): Promise<LoadAnswer> {
    this.#load ??= this.startWorker<LoadOrder, LoadAnswer>('load/load.process');
    return this.#load.ask(order);
  }

  /** A second generator, where reads and postings are measured side by side. */
  startLoadProcess(): Worker<LoadOrder, LoadAnswer> {
    return this.startWorker<LoadOrder, LoadAnswer>('load/load.process');
  }

  /** Postings against a server under test, with the lag of its projection; ends when the read store has them. */
  targetSide(name: string, target: Target, calls: Calls, inFlight: number): Side {
    return {
      name,
      warmsUp: true,
      measure: async (windowMs) => {
        const { result, lag } = await sampleLag(target.control, this.warmUpMs, () => this.load(target, { calls, inFlight, warmUpMs: this.warmUpMs, windowMs }));
        await target.control.drain();
        return { ...measuredBy(result), lag };
      },
    };
  }

  echoSide(name: string, address: string, calls: Calls, inFlight: number): Side {
    return {
      name,
      warmsUp: true,
      measure: async (windowMs) => {
        const answer = await this.generate({
          addresses: [address],
          connections: this.#connections(inFlight),
          inFlight,
          warmUpMs: this.warmUpMs,
          windowMs,
          calls,
        });
        this.#note(name, answer);
        return measuredBy(answer);
      },
    };
  }

  rowLockSide(): Side {
    const rowLock = this.startWorker<RowLockOrder, RivalAnswer>('rival/row-lock.process');
    const folder = this.scratch.folder('row-lock');
    return {
      name: 'row lock on SQLite',
      warmsUp: false,
      measure: async (windowMs) => perSecondOf(await rowLock.ask({ folder, warmUpMs: this.warmUpMs, windowMs })),
    };
  }

  /** A process of the bench, by its entry: clients of another server, a collector. */
  startWorker<Order, Answer>(entry: string, node?: string): Worker<Order, Answer> {
    const worker = startWorker<Order, Answer>(entry, node);
    this.scratch.defer(() => worker.stop());
    return worker;
  }

  findPostgres(): Promise<PostgresFound> {
    this.progress.step('looking for PostgreSQL');
    return findPostgres(this.scratch);
  }

  postgresSide(way: PostgresOrder['way'], url: string): Side {
    const clients = this.startWorker<PostgresOrder, RivalAnswer>('rival/postgres.process');
    return {
      name: POSTGRES_SIDES[way],
      warmsUp: false,
      measure: async (windowMs) => perSecondOf(await clients.ask({ url, way, warmUpMs: this.warmUpMs, windowMs })),
    };
  }

  redisSide(fsync: RedisOrder['fsync'], url: string, members: number): Side {
    const clients = this.startWorker<RedisOrder, RivalAnswer>('rival/redis.process');
    return {
      name: `a ZINCRBY per score on Redis, appendfsync ${fsync}`,
      warmsUp: false,
      measure: async (windowMs) => perSecondOf(await clients.ask({ url, fsync, members, warmUpMs: this.warmUpMs, windowMs })),
    };
  }

  measure<Name extends string>(sides: Readonly<Record<Name, Side | undefined>>): Promise<Record<Name, Rounds | undefined>> {
    return measureInterleaved(sides, { rounds: this.options.rounds, windowMs: this.windowMs, announce: (step) => this.progress.step(step) });
  }

  #connections(inFlight: number): number {
    return Math.min(this.options.connections, inFlight);
  }

  #note(name: string, { refused, failed, complaint }: LoadAnswer): void {
    if (refused > 0 || failed > 0 || complaint !== undefined)
      this.complaints.push(`${name}: ${refused} postings refused, ${failed} calls failed; the first: ${complaint}`);
  }
}

function measuredBy({ accepted, windowMs, latency }: LoadAnswer): Measured {
  return { perSecond: (accepted / windowMs) * 1_000, latency: unpackHistogram(latency) };
}

function perSecondOf({ accepted, windowMs }: RivalAnswer): Measured {
  return { perSecond: (accepted / windowMs) * 1_000 };
}
