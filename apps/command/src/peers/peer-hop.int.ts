/** Hops between a sender and real servers; who owns a partition is the test's to say. */
import { randomBytes } from 'node:crypto';
import type { HopMethod } from '@sluice/engine';
import { ManualClock } from '@sluice/memory';
import { type Clock, type LeaseHolder, systemClock } from '@sluice/ports';
import { schedulerpb } from '@sluice/protocol';
import {
  type CallContext,
  type Caller,
  HopProof,
  PeerConnections,
  peersOnly,
  refusal,
  serverStream,
  type Role,
  type RunningServer,
  type ServiceRegistration,
  SluiceError,
  startServer,
  unary,
} from '@sluice/service';
import { notOwner, refusingHopsOfOthers } from './not-owner';
import { OwnMethods } from './own-methods';
import type { PartitionOwners } from './partition-owners';
import { PeerHop } from './peer-hop';

const PARTITION = 5;
const PROOF = new HopProof(randomBytes(32));
const { getStatus } = schedulerpb.SchedulerServiceService;
const GET_STATUS: HopMethod = { path: getStatus.path, repeatable: true };
const REQUEST = getStatus.requestSerialize({});
const SHOP: Caller = { name: 'shop', roles: new Set<Role>(['post', 'operate']) };

/** GetStatus as a stream of answers. */
const WATCH_STATUS = { ...getStatus, path: '/sluice.scheduler.v1.SchedulerService/WatchStatus', responseStream: true } as const;

/** A stream that an owner serves: it has one answer, and stays open. */
class ServedStream {
  readonly ended: Promise<void>;
  private end = (): void => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  async *serve(name: string, { signal }: CallContext): AsyncGenerator<schedulerpb.GetStatusResponse> {
    signal.addEventListener('abort', this.end);
    yield schedulerpb.GetStatusResponse.fromPartial({ instanceId: name });
    await this.ended;
  }
}

/** An instance that answers GetStatus with its name. */
class Owner {
  readonly stream = new ServedStream();
  readonly calls: CallContext[] = [];
  serves = true;
  answer: (call: CallContext) => Promise<void> = async () => undefined;
  private server: RunningServer | undefined;

  constructor(readonly name: string) {}

  get registration(): ServiceRegistration {
    const registration: ServiceRegistration = {
      name: 'sluice.scheduler.v1.SchedulerService',
      definition: { getStatus, watchStatus: WATCH_STATUS },
      implementation: {
        watchStatus: serverStream((_request: unknown, call: CallContext) => this.stream.serve(this.name, call)),
        getStatus: unary(async (_request: unknown, call: CallContext) => {
          this.calls.push(call);
          await this.answer(call);
          return schedulerpb.GetStatusResponse.fromPartial({ instanceId: this.name });
        }),
      },
    };
    return refusingHopsOfOthers(registration, () => this.serves);
  }

  async start(): Promise<this> {
    this.server = await startServer({ host: '127.0.0.1', port: 0, hopProof: PROOF }, [this.registration]);
    return this;
  }

  get holder(): LeaseHolder {
    return { id: this.name, address: this.server?.address ?? '127.0.0.1:1' };
  }

  async stop(): Promise<void> {
    await this.server?.stop(0);
  }
}

class OwnersOfTest implements PartitionOwners {
  known: LeaseHolder | undefined;
  /** What the lease service says; by default what is known. */
  found: LeaseHolder | undefined;
  asked = 0;
  private readonly listeners = new Set<(partition: number) => void>();

  ownerOf(): LeaseHolder | undefined {
    return this.known;
  }

  async findOwner(): Promise<LeaseHolder | undefined> {
    this.asked += 1;
    this.known = this.found;
    return this.known;
  }

  onOwnerChanged(listener: (partition: number) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The lease moves, and the sender learns of it. */
  move(holder: LeaseHolder | undefined, partition = PARTITION): void {
    this.known = holder;
    this.found = holder;
    for (const listener of this.listeners) listener(partition);
  }
}

const closing: (() => unknown)[] = [];
let owners: OwnersOfTest;
let self: Owner;

beforeEach(() => {
  owners = new OwnersOfTest();
  self = new Owner('self');
  self.serves = false;
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function startOwner(name: string): Promise<Owner> {
  const owner = await new Owner(name).start();
  closing.push(() => owner.stop());
  return owner;
}

function sender(clock: Clock = systemClock, ownRegistration = self.registration): PeerHop {
  const connections = new PeerConnections({ proof: PROOF }, systemClock);
  const ownMethods = new OwnMethods();
  ownMethods.add(ownRegistration);
  const hop = new PeerHop({ self: 'self', serves: () => self.serves, owners, connections, ownMethods, clock });
  closing.push(() => hop.close());
  closing.push(() => connections.close());
  return hop;
}

function callOf(call: Partial<Pick<CallContext, 'deadlineMs' | 'forwarded'>> = {}): CallContext {
  return { caller: SHOP, forwarded: false, deadlineMs: Number.POSITIVE_INFINITY, deadlinePassed: false, ...call } as CallContext;
}

/** The name of the instance that answered, or the reason of the refusal. */
async function answerOf(sent: Promise<Buffer>): Promise<string> {
  try {
    return getStatus.responseDeserialize(await sent).instanceId;
  } catch (error) {
    if (error instanceof SluiceError) return error.reason;
    throw error;
  }
}

test('a method goes to the owner with the verified caller, the partition and the deadline of the call', async () => {
  const owner = await startOwner('owner');
  owners.move(owner.holder);
  const deadlineMs = Date.now() + 60_000;
  expect(await answerOf(sender().send(PARTITION, GET_STATUS, REQUEST, callOf({ deadlineMs })))).toBe('owner');
  expect(owner.calls[0]).toMatchObject({ caller: SHOP, forwarded: true, forwardedTo: PARTITION });
  expect(owner.calls[0]?.deadlineMs).toBeGreaterThan(deadlineMs - 5_000);
});

test('a call without a deadline makes a hop without one', async () => {
  const owner = await startOwner('owner');
  owners.move(owner.holder);
  await sender().send(PARTITION, GET_STATUS, REQUEST, callOf());
  expect(owner.calls[0]?.deadlineMs).toBe(Number.POSITIVE_INFINITY);
});

test("the owner's refusal comes back as it is", async () => {
  const owner = await startOwner('owner');
  owners.move(owner.holder);
  owner.answer = () => Promise.reject(refusal('QUEUE_FULL', 'too much', { partition: '5' }));
  await expect(sender().send(PARTITION, GET_STATUS, REQUEST, callOf())).rejects.toMatchObject({
    reason: 'QUEUE_FULL',
    message: 'too much',
    metadata: { partition: '5' },
  });
  expect(owner.calls).toHaveLength(1);
});

test('a forwarded call is not sent on again', async () => {
  const owner = await startOwner('owner');
  owners.move(owner.holder);
  expect(await answerOf(sender().send(PARTITION, GET_STATUS, REQUEST, callOf({ forwarded: true })))).toBe('PARTITION_UNAVAILABLE');
  expect(owner.calls).toHaveLength(0);
});

describe('the lease moves while a hop waits for a silent owner', () => {
  let silent: Owner;
  let reached: Promise<CallContext>;

  beforeEach(async () => {
    silent = await startOwner('silent');
    reached = new Promise((resolve) => {
      silent.answer = (call) => {
        resolve(call);
        return new Promise(() => undefined);
      };
    });
    owners.move(silent.holder);
  });

  function aborted(call: CallContext): Promise<void> {
    return new Promise((resolve) => {
      if (call.signal.aborted) resolve();
      else call.signal.addEventListener('abort', () => resolve());
    });
  }

  test('to another instance: the hop is aborted and the new owner answers', async () => {
    const next = await startOwner('next');
    const answer = answerOf(sender().send(PARTITION, GET_STATUS, REQUEST, callOf()));
    const call = await reached;
    owners.move(next.holder);
    expect(await answer).toBe('next');
    await aborted(call);
  });

  test('to this instance: it answers itself', async () => {
    const answer = answerOf(sender().send(PARTITION, GET_STATUS, REQUEST, callOf()));
    await reached;
    self.serves = true;
    owners.move({ id: 'self', address: 'unused' });
    expect(await answer).toBe('self');
    expect(self.calls[0]).toMatchObject({ caller: SHOP, forwarded: true, forwardedTo: PARTITION });
  });

  test('to this instance: it answers a method for peers only', async () => {
    const answer = answerOf(sender(systemClock, peersOnly(self.registration)).send(PARTITION, GET_STATUS, REQUEST, callOf()));
    await reached;
    self.serves = true;
    owners.move({ id: 'self', address: 'unused' });
    expect(await answer).toBe('self');
  });

  test('to this instance, which still loads the partition: it answers as soon as it serves', async () => {
    const clock = new ManualClock();
    const answer = answerOf(sender(clock).send(PARTITION, GET_STATUS, REQUEST, callOf()));
    const call = await reached;
    owners.move({ id: 'self', address: 'unused' });
    await aborted(call);
    while (owners.asked < 3) await clock.elapse(10);
    self.serves = true;
    await clock.elapse(1_000);
    expect(await answer).toBe('self');
  });

  test('of another partition, or to no instance: the hop waits on', async () => {
    const answer = answerOf(sender().send(PARTITION, GET_STATUS, REQUEST, callOf()));
    const call = await reached;
    owners.move(self.holder, PARTITION + 1);
    owners.move(undefined);
    const next = await startOwner('next');
    expect([call.ended, owners.asked]).toEqual([false, 0]);
    owners.move(next.holder);
    expect(await answer).toBe('next');
    expect(owners.asked).toBe(1);
  });

  test('a method that must not be repeated is neither aborted nor sent again', async () => {
    const next = await startOwner('next');
    const answer = answerOf(sender().send(PARTITION, { ...GET_STATUS, repeatable: false }, REQUEST, callOf()));
    const call = await reached;
    owners.move(next.holder);
    await silent.stop();
    expect(await answer).toBe('PARTITION_UNAVAILABLE');
    expect(call.ended).toBe(true);
    expect(next.calls).toHaveLength(0);
  });
});

describe('the instance that is asked', () => {
  test('does not serve the partition: the lease service is asked, and the owner that it names answers, whatever the method', async () => {
    const former = await startOwner('former');
    const owner = await startOwner('owner');
    former.serves = false;
    owners.known = former.holder;
    owners.found = owner.holder;
    expect(await answerOf(sender().send(PARTITION, { ...GET_STATUS, repeatable: false }, REQUEST, callOf()))).toBe('owner');
    expect(former.calls).toHaveLength(0);
    expect(owners.asked).toBe(1);
  });

  test('is this one, from which the partition goes before it has decided: the owner that the lease service names answers, whatever the method', async () => {
    const owner = await startOwner('owner');
    self.serves = true;
    owners.known = { id: 'self', address: 'unused' };
    owners.found = owner.holder;
    self.answer = async () => {
      self.serves = false;
      throw notOwner(PARTITION);
    };
    expect(await answerOf(sender().send(PARTITION, { ...GET_STATUS, repeatable: false }, REQUEST, callOf()))).toBe('owner');
  });

  test('is gone: the lease service is asked, and the owner that it names answers', async () => {
    const gone = await startOwner('gone');
    const { holder } = gone;
    await gone.stop();
    const owner = await startOwner('owner');
    owners.known = holder;
    owners.found = owner.holder;
    expect(await answerOf(sender().send(PARTITION, GET_STATUS, REQUEST, callOf()))).toBe('owner');
  });

  test('is still loading the partition: it is asked again after a pause', async () => {
    const loading = await startOwner('loading');
    loading.serves = false;
    owners.move(loading.holder);
    const clock = new ManualClock();
    const answer = answerOf(sender(clock).send(PARTITION, GET_STATUS, REQUEST, callOf()));
    while (owners.asked < 2) await clock.elapse(10);
    loading.serves = true;
    let settled = false;
    void answer.then(() => (settled = true));
    while (!settled) await clock.elapse(10);
    expect(await answer).toBe('loading');
  });

  test('serves the partition but cannot answer now: its refusal stands, unless the owner changed', async () => {
    const broken = await startOwner('broken');
    broken.answer = () => Promise.reject(refusal('PARTITION_UNAVAILABLE', 'the log cannot be written'));
    owners.move(broken.holder);
    await expect(sender().send(PARTITION, GET_STATUS, REQUEST, callOf())).rejects.toMatchObject({
      reason: 'PARTITION_UNAVAILABLE',
      message: 'the log cannot be written',
    });
    const owner = await startOwner('owner');
    owners.found = owner.holder;
    expect(await answerOf(sender().send(PARTITION, GET_STATUS, REQUEST, callOf()))).toBe('owner');
  });
});

test('without an owner a hop gives up after six tries, less than a second later', async () => {
  const clock = new ManualClock();
  const startedUs = clock.nowUs();
  const answer = answerOf(sender(clock).send(PARTITION, GET_STATUS, REQUEST, callOf()));
  let settled = false;
  void answer.then(() => (settled = true));
  while (!settled) await clock.elapse(10);
  expect(await answer).toBe('PARTITION_UNAVAILABLE');
  expect(owners.asked).toBe(6);
  expect(clock.nowUs() - startedUs).toBeLessThan(1_000_000);
});

test('a pause ends as soon as the partition has an owner', async () => {
  const clock = new ManualClock();
  const answer = answerOf(sender(clock).send(PARTITION, GET_STATUS, REQUEST, callOf()));
  while (owners.asked < 3) await clock.elapse(10);
  const owner = await startOwner('owner');
  owners.move(owner.holder);
  expect(await answer).toBe('owner');
});

describe('a stream', () => {
  interface Opened {
    readonly answers: string[];
    readonly answered: Promise<void>;
    readonly ended: Promise<void>;
    readonly isOver: () => boolean;
    cancel(): void;
  }

  function open(hop: PeerHop): Opened {
    const answers: string[] = [];
    let over = false;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = () => {
        over = true;
        resolve();
      };
    });
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const message = (bytes: Buffer): void => {
      answers.push(getStatus.responseDeserialize(bytes).instanceId);
      answer();
    };
    const stream = hop.stream(PARTITION, WATCH_STATUS.path, REQUEST, callOf(), { message, ended: end });
    return { answers, answered, ended, isOver: () => over, cancel: () => stream.cancel() };
  }

  test('brings the answers of the owner, and ends when the lease moves; the next one comes from the new owner', async () => {
    const former = await startOwner('former');
    const next = await startOwner('next');
    owners.move(former.holder);
    const hop = sender();
    const first = open(hop);
    await first.answered;
    expect(first.isOver()).toBe(false);
    owners.move(next.holder);
    await first.ended;
    expect(first.answers).toEqual(['former']);
    await former.stream.ended;
    const second = open(hop);
    await second.answered;
    second.cancel();
    await next.stream.ended;
    expect(second.isOver()).toBe(false);
  });

  test('of an instance that does not serve the partition ends', async () => {
    const former = await startOwner('former');
    former.serves = false;
    owners.move(former.holder);
    const stream = open(sender());
    await stream.ended;
    expect(stream.answers).toEqual([]);
  });

  test('stays open without answers while this instance serves the partition, and ends when that changes', async () => {
    self.serves = true;
    owners.move({ id: 'self', address: 'unused' });
    const stream = open(sender());
    owners.move({ id: 'self', address: 'unused' });
    expect(stream.isOver()).toBe(false);
    self.serves = false;
    owners.move(undefined);
    await stream.ended;
  });
});
