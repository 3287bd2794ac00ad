/**
 * Whatever the network, the disk and the owners do, every delivery is applied exactly once, in the order of its pair of partitions, and its
 * verdict is recorded exactly once where it was owed. The model is the log itself: what the sources owe in it, read by a process that comes last.
 */
import * as fc from 'fast-check';
import { type CourierProcess, Post } from '../test/couriers-under-test';
import type { CourierState } from '../test/courier';
import { parseDeliveryId } from './delivery-id';

const PARTITIONS = 3;
const TEXTS = ['plain', 'plain', 'refuse', 'answer', 'later', 'reply', 'throw'];
const BUDGET = { attempts: 2, milliseconds: 200 };

type Step =
  | { readonly kind: 'send'; readonly source: number; readonly targets: readonly number[]; readonly text: number }
  | { readonly kind: 'network'; readonly trouble: number }
  | { readonly kind: 'disk'; readonly trouble: number }
  | { readonly kind: 'move'; readonly partition: number; readonly orderly: boolean }
  | { readonly kind: 'restart'; readonly process: number; readonly snapshot: boolean }
  | { readonly kind: 'understand'; readonly process: number; readonly understands: boolean }
  | { readonly kind: 'redrive'; readonly partition: number }
  | { readonly kind: 'wait'; readonly milliseconds: number };

const partition = fc.nat(PARTITIONS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      source: partition,
      targets: fc.array(partition, { minLength: 1, maxLength: 12 }),
      text: fc.nat(TEXTS.length - 1),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), milliseconds: fc.constantFrom(0, 0, 10, 100, 1_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('network' as const), trouble: fc.constantFrom(0, 0.2, 0.6) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('disk' as const), trouble: fc.constantFrom(0, 0.2, 0.6) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), partition, orderly: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), process: fc.nat(1), snapshot: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('understand' as const), process: fc.nat(1), understands: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('redrive' as const), partition }) },
);

/** A small generator of random numbers below 1, by seed. */
function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class World {
  readonly post = new Post(PARTITIONS);
  private trouble = 0;
  private diskTrouble = 0;
  private readonly next: () => number;
  private names = 0;
  private texts = 0;
  private readonly acknowledged: string[] = [];

  constructor(seed: number) {
    this.next = random(seed);
    this.post.network = (_target, pass) => this.carry(pass);
  }

  async start(): Promise<void> {
    const [one, two] = [this.newProcess(), this.newProcess()];
    await one.engine.own(0);
    await one.engine.own(1);
    await two.engine.own(2);
  }

  async take(step: Step): Promise<void> {
    const { post } = this;
    switch (step.kind) {
      case 'send':
        this.send(step);
        break;
      case 'network':
        this.trouble = step.trouble;
        break;
      case 'disk':
        this.diskTrouble = step.trouble;
        break;
      case 'move':
        await this.move(step.partition, step.orderly);
        break;
      case 'restart':
        await this.restart(step.process, step.snapshot);
        break;
      case 'understand':
        this.process(step.process).courier.understands = step.understands;
        break;
      case 'redrive':
        // Durable later, when time passes, or never.
        void this.owner(step.partition)
          ?.owned(step.partition)
          .deliveries.redrive([])
          .catch(() => undefined);
        break;
      case 'wait':
        await post.clock.elapse(step.milliseconds);
        break;
      default:
        step satisfies never;
    }
  }

  /** Everything works again, and time passes until nothing is unfinished. The states of a process that reads the whole log. */
  async end(): Promise<CourierState[]> {
    const { post } = this;
    this.trouble = 0;
    this.diskTrouble = 0;
    for (let process = 0; process < 2; process += 1) await this.restart(process, process === 0);
    const last = this.newProcess();
    last.courier.understands = true;
    last.courier.throws = false;
    for (let at = 0; at < PARTITIONS; at += 1) await this.moveTo(last, at, true);
    const parts = Array.from({ length: PARTITIONS }, (_, at) => last.owned(at).deliveries);
    for (let round = 0; round < 20 && parts.some(({ counts }) => counts.unfinished > 0); round += 1) {
      for (const deliveries of parts) {
        await deliveries.redrive([]).catch(() => undefined);
        deliveries.drive();
      }
      await post.clock.elapse(20_000);
    }
    expect(parts.map(({ counts }) => counts)).toEqual(parts.map(() => ({ unfinished: 0, dead: 0 })));
    for (const id of this.acknowledged) expect(last.state((parseDeliveryId(id) as { source: number }).source).sent).toContain(id);
    // The snapshots are gone: what is in the log alone must be the same.
    post.blocks.clear();
    const reader = this.newProcess();
    for (let at = 0; at < PARTITIONS; at += 1) {
      const { sent, arrived, told } = last.state(at);
      await reader.engine.own(at);
      expect({ ...pickState(reader.state(at)) }).toEqual({ sent, arrived, told });
    }
    return Array.from({ length: PARTITIONS }, (_, at) => reader.state(at));
  }

  private send({ source, targets, text }: Step & { kind: 'send' }): void {
    const { post } = this;
    const sender = this.owner(source);
    if (sender === undefined) return;
    const word = TEXTS[text] as string;
    const texts = targets.map((target) => {
      this.texts += 1;
      return post.text(source, target, `${word === 'reply' ? `reply ${post.key(source)}` : word} #${this.texts}`);
    });
    void sender.dispatch(source, ...texts).then((outcome) => {
      if (typeof outcome !== 'string') this.acknowledged.push(...outcome);
    });
  }

  private async carry(pass: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const pause = (): Promise<void> => this.pause(400);
    const is = (): boolean => this.next() < this.trouble;
    if (is()) await pause();
    if (is()) throw new Error('lost on its way there');
    if (is()) {
      // A copy that arrives late, when the first one was answered long ago.
      void pause()
        .then(pass)
        .catch(() => undefined);
    }
    const answer = await pass();
    if (is()) await pause();
    if (is()) throw new Error('lost on its way back');
    return answer;
  }

  private pause(atMostMs: number): Promise<void> {
    return new Promise((resolve) => void this.post.clock.after(Math.floor(this.next() * atMostMs), resolve));
  }

  private newProcess(): CourierProcess {
    this.names += 1;
    const process = this.post.process(`process-${this.names}`, { budget: BUDGET, limits: { snapshotBytes: 2_000, doubtMs: this.next() < 0.5 ? 0 : 30_000 } });
    const { log } = process;
    const append = log.append.bind(log);
    log.append = async (commit) => {
      if (this.next() < this.diskTrouble) await this.pause(100);
      if (this.next() < this.diskTrouble / 4) log.faults.failNextAppend();
      else if (this.next() < this.diskTrouble / 4) log.faults.failNextAppendAfterStoring();
      await append(commit);
    };
    return process;
  }

  private process(index: number): CourierProcess {
    return this.post.processes[index] as CourierProcess;
  }

  private owner(at: number): CourierProcess | undefined {
    return this.post.processes.find(({ engine }) => engine.partition(at) !== undefined);
  }

  private async move(at: number, orderly: boolean): Promise<void> {
    const owner = this.owner(at);
    const next = this.post.processes.find((process) => process !== owner) as CourierProcess;
    await this.moveTo(next, at, orderly);
  }

  /** Not orderly: the owner is not asked, and finds out by the fence. */
  private async moveTo(next: CourierProcess, at: number, orderly: boolean): Promise<void> {
    const { post } = this;
    const owner = this.owner(at);
    if (owner === next) return;
    let moved = false;
    const moving = (async () => {
      if (orderly) await owner?.engine.disown(at, { snapshot: false });
      await own(next, at);
      if (!orderly) await owner?.engine.disown(at, { snapshot: false });
      moved = true;
    })();
    await Promise.all([moving, post.until(() => moved)]);
  }

  /** The process stops, and another one takes its place and its partitions. */
  private async restart(index: number, snapshot: boolean): Promise<void> {
    const { post } = this;
    const stopped = this.process(index);
    const owned = stopped.engine.owned;
    const next = this.newProcess();
    post.processes.splice(post.processes.indexOf(next), 1);
    post.processes[index] = next;
    let done = false;
    const restarting = (async () => {
      await stopped.engine.stop({ snapshot });
      for (const at of owned) await own(next, at);
      done = true;
    })();
    await Promise.all([restarting, post.until(() => done)]);
  }
}

/** Again if an append was made to fail: then nothing is owned yet. */
async function own({ engine }: CourierProcess, at: number): Promise<void> {
  for (let owned = false; !owned; ) {
    owned = await engine.own(at).then(
      () => true,
      () => false,
    );
  }
}

function pickState({ sent, arrived, told }: CourierState) {
  return { sent, arrived, told };
}

const of = (ids: readonly string[], source: number, target: number) =>
  ids.flatMap((id) => {
    const name = parseDeliveryId(id);
    return name?.source === source && name.target === target ? [name.number] : [];
  });

function assertOnceAndInOrder(states: readonly CourierState[]): void {
  const arrivedText = new Map(states.flatMap(({ arrived }) => arrived.map(({ id, text }) => [id, text])));
  for (const { told } of states) for (const { id, text } of told) expect(arrivedText.get(id)).toBe(text);
  for (let source = 0; source < PARTITIONS; source += 1) {
    const { sent, told } = states[source] as CourierState;
    const textById = new Map(told.map(({ id, text }) => [id, text]));
    for (let target = 0; target < PARTITIONS; target += 1) {
      const { arrived } = states[target] as CourierState;
      const owed = of(sent, source, target);
      expect(owed).toEqual(owed.map((_, at) => at + 1));
      const ascending = (numbers: number[]) => [...numbers].sort((left, right) => left - right);
      const taken = of(
        arrived.map(({ id }) => id),
        source,
        target,
      );
      const known = of(
        told.map(({ id }) => id),
        source,
        target,
      );
      // Texts that are not accepted arrive, too: the courier keeps what it has decided.
      expect(ascending(taken)).toEqual(owed);
      expect(ascending(known)).toEqual(owed);
      // Dead letters that were sent again come out of order, nothing else does.
      const inOrder = (numbers: number[]) => numbers.filter((number) => !/^(later|throw)/.test(textById.get(`d-${source}-${target}-${number}`) ?? ''));
      expect(inOrder(taken)).toEqual(ascending(inOrder(taken)));
      expect(inOrder(known)).toEqual(ascending(inOrder(known)));
    }
    for (const { text, outcome } of told) {
      const [what = '', answer = ''] = text.split(' ');
      const expected = what === 'refuse' ? 'rejected REFUSED' : what === 'answer' ? `accepted ${answer}` : 'accepted';
      expect(outcome).toBe(expected);
    }
  }
}

test('every delivery is applied once, in order, and its verdict is recorded once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 5, maxLength: 60 }), async (seed, steps) => {
      const world = new World(seed);
      try {
        await world.start();
        for (const one of steps) await world.take(one);
        assertOnceAndInOrder(await world.end());
      } finally {
        await world.post.stop();
      }
    }),
    { numRuns: 60 },
  );
});
