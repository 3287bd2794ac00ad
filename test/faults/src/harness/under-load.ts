/**
 * A fault at load: real processes and servers, callers that post all the time, the fault, a while more of load, and then the
 * judgement. Skipped, loudly, where a server cannot be had.
 */
import { NatsLease, NatsLink } from '@sluice/bus-nats';
import { type Distributed, type DistributedOptions, type ServiceChild, startDistributed } from '@sluice/distributed';
import { haveServer } from '@sluice/infra';
import { expectWhole } from './judgement';
import { Load } from './load';

const TEST_LIMIT_MS = 120_000;
const LAST_LINES = 60;
const WARM_UP_POSTINGS = 400;
const AFTERWARDS_POSTINGS = 400;
const DEPLOYMENT = 'main';

/** Partitions of the log under test. */
export const PARTITIONS = 4;

export interface Scene {
  readonly distributed: Distributed;
  readonly load: Load;
  /** Further callers of the same accounts; their request ids begin with the name. */
  anotherLoad(name: string): Load;
  readonly command: readonly ServiceChild[];
  readonly query: readonly ServiceChild[];
  readonly projector: readonly ServiceChild[];
  /** Name of the process that holds the lease: "command/0", "projector/3". Undefined: nobody does. */
  holderOf(lease: string): Promise<string | undefined>;
}

export interface FaultOptions extends Pick<DistributedOptions, 'counts' | 'environment' | 'environmentOf' | 'natsConfiguration'> {
  /** False: the test stops the load itself, nothing more is posted. */
  readonly afterwards?: boolean;
  /** False: the test judges for itself. */
  readonly judged?: boolean;
}

const possible = haveServer('nats') && haveServer('mongodb');
const COUNTS = { command: 2, projector: 1, query: 1, scheduler: 0 };

/** The fault happens while the load runs; afterwards everything must be whole. */
export function testFault(name: string, options: FaultOptions, fault: (scene: Scene) => Promise<void>): void {
  (possible ? test : test.skip)(
    name,
    async () => {
      const lines: string[] = [];
      const distributed = await startDistributed({
        external: false,
        ...options,
        counts: { ...COUNTS, ...options.counts },
        environment: {
          SLUICE_SERVERS: '1',
          SLUICE_CONTAINERS: String(PARTITIONS),
          SLUICE_DEPLOYMENT: DEPLOYMENT,
          SLUICE_LOG_LEVEL: 'warn',
          ...options.environment,
        },
        onLine: (process, line) => lines.push(`${process} | ${line}`),
      });
      const loads: Load[] = [];
      const anotherLoad = (called: string): Load => {
        const added = loadOn(distributed, called);
        loads.push(added);
        return added;
      };
      const load = anotherLoad('first');
      try {
        await load.open();
        load.start();
        await load.more(WARM_UP_POSTINGS);
        await fault({
          distributed,
          load,
          anotherLoad,
          command: distributed.of('command'),
          query: distributed.of('query'),
          projector: distributed.of('projector'),
          holderOf: (lease) => holderOf(distributed, lease),
        });
        if (options.afterwards !== false) await load.more(AFTERWARDS_POSTINGS);
        await load.stop();
        if (options.judged !== false) await expectWhole([load], { query: first(distributed.of('query')), projector: first(distributed.of('projector')) });
      } catch (error) {
        if (error instanceof Error) error.message += `\n\nThe processes said last:\n${shortened(lines).slice(-LAST_LINES).join('\n')}`;
        throw error;
      } finally {
        for (const started of loads) started.abandon();
        await distributed.stop();
      }
    },
    TEST_LIMIT_MS,
  );
}

/** What the processes said, without stacks, and what one of them repeats only once. */
function shortened(lines: readonly string[]): string[] {
  const said = new Map<string, string>();
  const short: string[] = [];
  for (const line of lines) {
    const [name = '', json = ''] = line.split(' | ');
    const { time, partition, message, error } = parsed(json);
    const text = `${name} ${partition === undefined ? '' : `partition ${partition}: `}${message} ${error?.message ?? ''}`;
    if (said.get(name) === text) continue;
    said.set(name, text);
    short.push(`${time?.slice(11, 23)} ${text}`);
  }
  return short;
}

function parsed(json: string): {
  readonly time?: string;
  readonly partition?: number;
  readonly message?: string;
  readonly error?: { readonly message?: string };
} {
  try {
    return JSON.parse(json) as ReturnType<typeof parsed>;
  } catch {
    return { message: json };
  }
}

function loadOn(distributed: Distributed, name: string): Load {
  const commandAddresses = distributed.of('command').map(({ address }) => address);
  return new Load({ name, commandAddresses, accounts: ACCOUNTS, partitions: PARTITIONS });
}

/** The first one that runs. */
function first(children: readonly ServiceChild[]): string {
  const child = children.find(({ pid }) => pid !== undefined);
  if (child === undefined) throw new Error('none of them runs');
  return child.address;
}

/** Two in each of the four partitions; a test of this harness says so. */
const ACCOUNTS = ['l', 'm', 'b', 'c', 'a', 'g', 'd', 'e'].map((name) => `{${name}}-account`);

async function holderOf({ nats }: Distributed, name: string): Promise<string | undefined> {
  const link = await NatsLink.open({ url: nats.url });
  try {
    const lease = await NatsLease.open({ link, deployment: DEPLOYMENT });
    return (await lease.read(name))?.holder.id;
  } finally {
    await link.close();
  }
}

/** Asks again and again until the condition holds. */
export async function until(what: string, condition: () => Promise<boolean> | boolean, limitMs = 20_000): Promise<void> {
  const untilMs = Date.now() + limitMs;
  while (!(await condition())) {
    if (Date.now() > untilMs) throw new Error(`after ${limitMs / 1000} s it still does not hold that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Every command instance owns as many partitions as any other. */
export async function evenlySpread({ holderOf: holder, command }: Scene): Promise<boolean> {
  const owners = await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => holder(`command/${partition}`)));
  return command.every(({ name }) => owners.filter((owner) => owner === name).length === PARTITIONS / command.length);
}
