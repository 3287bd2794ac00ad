/** What becomes of a delivery when something fails at each step of its way. In each case it is applied once, and its first verdict is the final one. */
import { logEvents, logpb, readCommit } from '@sluice/protocol';
import { type CourierProcess, Post } from '../test/couriers-under-test';

let post: Post;
let one: CourierProcess;
let two: CourierProcess;

beforeEach(async () => {
  post = new Post();
  one = post.process('one');
  two = post.process('two');
  await one.engine.own(0);
  await two.engine.own(1);
});

afterEach(() => post.stop());

const passOn = (_target: number, pass: () => Promise<Uint8Array>): Promise<Uint8Array> => pass();
const isCut = (): Promise<never> => Promise.reject(new Error('the network is cut'));
const outcomes = (process: CourierProcess) => process.state(0).told.map(({ text, outcome }) => `${text}: ${outcome}`);
const arrived = (process: CourierProcess) => process.state(1).arrived.map(({ text }) => text);

/** Events of a type in the log of a partition. */
function logged(partition: number, name: 'DeliveriesTaken' | 'DeliveriesSettled'): number {
  const commits = post.storage.commitsOf(partition).map(({ bytes }) => readCommit(bytes));
  return commits.flatMap((commit) => commit.events.filter((event) => logEvents.readOnly(name, event, commit) !== undefined)).length;
}

/** The partition goes to a new process, which loads it from the log. */
async function restart(stopped: CourierProcess, partition: number): Promise<CourierProcess> {
  let done = false;
  const next = post.process(`${stopped.owner}-again`);
  const restarting = (async () => {
    await stopped.engine.disown(partition, { snapshot: false });
    await next.engine.own(partition);
    done = true;
  })();
  await Promise.all([restarting, post.until(() => done)]);
  return next;
}

test('owed durably, not sent: the next owner sends it', async () => {
  post.network = isCut;
  await one.dispatch(0, post.text(0, 1, 'late'));
  const next = await restart(one, 0);
  post.network = passOn;
  await post.until(() => next.state(0).told.length === 1);
  expect([arrived(two), outcomes(next)]).toEqual([['late'], ['late: accepted']]);
});

test('owed, not durable: it is not sent, whatever asks for it', async () => {
  await one.dispatch(0, post.text(0, 1, 'in time'));
  await post.until(() => one.state(0).told.length === 1);
  const release = one.log.faults.holdAppends();
  const outcome = one.dispatch(0, post.text(0, 1, 'too early'));
  await one.log.faults.whenHeld(1);
  const staged = one.dispatch(0, ...Array.from({ length: 600 }, () => post.text(0, 1, 'staged')));
  one.owned(0).deliveries.drive();
  await post.clock.elapse(10_000);
  expect(arrived(two)).toEqual(['in time']);
  release();
  await Promise.all([outcome, staged]);
  await post.until(() => one.state(0).told.length === 602);
});

test('owed by a turn that is lost: what is owed next gets its number', async () => {
  one.log.faults.failNextAppend();
  expect(await one.dispatch(0, post.text(0, 1, 'lost'))).toBe('PARTITION_UNAVAILABLE');
  await post.until(() => one.owned(0).state === 'serving');
  expect(await one.dispatch(0, post.text(0, 1, 'kept'))).toEqual(['d-0-1-1']);
  await post.until(() => one.state(0).told.length === 1);
  expect(arrived(two)).toEqual(['kept']);
});

test('sent twice: it is applied once', async () => {
  post.network = async (_target, pass) => {
    await pass();
    return pass();
  };
  await one.dispatch(0, post.text(0, 1, 'answer twice'), post.text(0, 1, 'refuse twice'));
  await post.until(() => one.state(0).told.length === 2);
  expect(arrived(two)).toEqual(['answer twice', 'refuse twice']);
  expect(outcomes(one)).toEqual(['answer twice: accepted twice', 'refuse twice: rejected REFUSED']);
});

test('taken durably, the answer is lost: the first verdict stays, though the target would decide otherwise now', async () => {
  post.network = async (_target, pass) => {
    const answer = await pass();
    // The first message only asks where the target stands.
    if (two.state(1).arrived.length === 0) return answer;
    throw new Error('the answer is lost');
  };
  await one.dispatch(0, post.text(0, 1, 'mood'));
  await post.until(() => two.state(1).arrived.length === 1);
  two.courier.understands = true;
  const next = await restart(two, 1);
  next.courier.understands = true;
  post.network = passOn;
  await post.until(() => one.state(0).told.length === 1);
  expect([arrived(next), outcomes(one)]).toEqual([['mood'], ['mood: rejected MOODY']]);
});

test('taken, not durable, and the memory is dropped: no verdict leaves, and it is decided anew', async () => {
  two.log.faults.failNextAppend();
  const release = two.log.faults.holdAppends();
  await one.dispatch(0, post.text(0, 1, 'mood'));
  await two.log.faults.whenHeld(1);
  await post.clock.elapse(5_000);
  expect(one.state(0).told).toEqual([]);
  two.courier.understands = true;
  release();
  await post.until(() => one.state(0).told.length === 1);
  expect([arrived(two), outcomes(one)]).toEqual([['mood'], ['mood: accepted']]);
});

test('taken by a turn that is reported as lost and is not: the first verdict stays', async () => {
  two.log.faults.failNextAppendAfterStoring();
  await one.dispatch(0, post.text(0, 1, 'mood'));
  await post.until(() => two.troubles.length > 0);
  two.courier.understands = true;
  await post.until(() => one.state(0).told.length === 1);
  expect([arrived(two), outcomes(one), logged(1, 'DeliveriesTaken')]).toEqual([['mood'], ['mood: rejected MOODY'], 1]);
});

test.each([false, true])('the turn that records the verdicts is lost (stored: %s): they are recorded once', async (stored) => {
  post.network = async (_target, pass) => {
    const answer = await pass();
    post.network = passOn;
    if (stored) one.log.faults.failNextAppendAfterStoring();
    else one.log.faults.failNextAppend();
    return answer;
  };
  // The first message asks where the target stands: the verdicts come with the second one.
  const answers = post.network;
  post.network = async (target, pass) => {
    post.network = answers;
    return passOn(target, pass);
  };
  await one.dispatch(0, post.text(0, 1, 'answer me'));
  await post.until(() => one.troubles.length > 0 && one.owned(0).state === 'serving' && one.state(0).told.length === 1);
  await post.clock.elapse(10_000);
  expect([arrived(two), outcomes(one), logged(0, 'DeliveriesSettled')]).toEqual([['answer me'], ['answer me: accepted me'], 1]);
  expect(one.owned(0).deliveries.counts.unfinished).toBe(0);
});

test('verdicts that are decided at the source, and not durable there, are not forgotten by the target', async () => {
  let calls = 0;
  let answerFirst = (): void => undefined;
  let release = (): void => undefined;
  const second = new Promise<void>((resolve) => {
    answerFirst = resolve;
  });
  post.network = async (_target, pass) => {
    calls += 1;
    // The first message asks where the target stands, the second one carries the first delivery.
    if (calls === 3) throw new Error('the second delivery is lost');
    const answer = await pass();
    if (calls > 2) return answer;
    if (calls === 2) {
      await second;
      one.log.faults.failNextAppend();
      release = one.log.faults.holdAppends();
    }
    return answer;
  };
  await one.dispatch(0, post.text(0, 1, 'refuse one'));
  await post.until(() => calls === 2);
  await one.dispatch(0, post.text(0, 1, 'refuse two'));
  await post.until(() => calls === 3);
  answerFirst();
  // The first verdict waits for its commit while the second delivery is sent again.
  await post.until(() => calls === 4);
  await post.until(() => two.state(1).arrived.length === 2);
  release();
  await post.until(() => one.owned(0).state === 'serving' && one.state(0).told.length === 2);
  expect(outcomes(one)).toEqual(['refuse one: rejected REFUSED', 'refuse two: rejected REFUSED']);
});

test('an owner of the source that was deposed sends late: the target takes its batch for a repeat', async () => {
  const late: (() => Promise<Uint8Array>)[] = [];
  post.network = async (_target, pass) => {
    late.push(pass);
    return pass();
  };
  await one.dispatch(0, post.text(0, 1, 'once'));
  await post.until(() => one.state(0).told.length === 1);
  const next = await restart(one, 0);
  await next.dispatch(0, post.text(0, 1, 'twice'));
  await post.until(() => next.state(0).told.length === 2);
  const repeats = Promise.all(late.map((pass) => pass()));
  await post.clock.elapse(1_000);
  await repeats;
  expect(arrived(two)).toEqual(['once', 'twice']);
});

test.each`
  what            | restored | reason
  ${'the target'} | ${1}     | ${'has taken 0 deliveries, but 1 have verdicts here'}
  ${'the source'} | ${0}     | ${'that is not the one in this log'}
`('a log in which $what stands at an earlier moment halts the deliveries', async ({ restored, reason }: { restored: number; reason: string }) => {
  await one.dispatch(0, post.text(0, 1, 'before'));
  await post.until(() => one.state(0).told.length === 1);
  await one.engine.disown(0, { snapshot: false });
  await two.engine.disown(1, { snapshot: false });
  post.storage.commitsOf(restored).length = 1;
  const three = post.process('three');
  await three.engine.own(0);
  await three.engine.own(1);
  await three.dispatch(0, post.text(0, 1, 'after'));
  await post.clock.elapse(10_000);
  const [listed] = (await three.owned(0).deliveries.list({ pageSize: 10, deadOnly: false, from: undefined })).deliveries;
  expect(three.state(1).arrived.map(({ text }) => text)).toEqual(restored === 1 ? [] : ['before']);
  expect(three.troubles.join()).toContain(reason);
  expect(listed).toMatchObject({ state: logpb.DeliveryState.DELIVERY_STATE_HALTED });
});
