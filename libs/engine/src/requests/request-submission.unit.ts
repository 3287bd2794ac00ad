import type { SubmissionFailure } from '../capability';
import { TurnLostError } from '../partition/commits';
import type { Partition } from '../partition/partition';
import { QueueFullError, SubmissionTooLargeError } from '../partition/submission-queue';
import type { Turn } from '../partition/turn';
import { RequestSubmission, type RequestRefusal } from './request-submission';

/** What the memory and the disk know of an id, and what commits hold. */
class Knowledge {
  readonly memory = new Map<number, number[]>();
  readonly disk = new Map<number, number[]>();
  /** Ids by commit. */
  readonly commits = new Map<number, readonly number[]>();
  readonly asked: string[] = [];
  diskFails = false;
}

class PartitionOfKnowledge {
  state = 'serving';
  refusing: Error | undefined;
  readonly submitted: RequestSubmission[] = [];
  readonly index;

  constructor(knowledge: Knowledge) {
    this.index = {
      recent: (first: number) => knowledge.memory.get(first)?.[0] ?? 0,
      allRecent: (first: number) => knowledge.memory.get(first) ?? [],
      mayBeOld: (first: number) => knowledge.disk.has(first),
      old: async (first: number) => {
        if (knowledge.diskFails) throw new Error('the disk is gone');
        return knowledge.disk.get(first) ?? [];
      },
    };
  }

  submit(submission: RequestSubmission): void {
    if (this.refusing !== undefined) throw this.refusing;
    this.submitted.push(submission);
  }
}

/** Ids as items; the number of an id is its hash. */
class Ids extends RequestSubmission {
  readonly commandCount: number;
  readonly sizeBytes = 1;
  readonly recordBytes = 1;
  readonly prepared: Promise<void> | undefined;

  constructor(
    readonly knowledge: Knowledge,
    readonly fake: PartitionOfKnowledge,
    readonly ids: readonly number[],
    readonly verdicts: string[],
    done: () => void,
    readonly troubles: string[] = [],
    private readonly positions?: readonly number[],
  ) {
    super(fake as unknown as Partition, done);
    this.commandCount = positions?.length ?? ids.length;
    this.prepared = this.prepare();
  }

  itemAt(position: number): number {
    return this.positions?.[position] ?? position;
  }

  *aggregates(): Generator<number> {
    yield 0;
  }

  protected isOpen(item: number): boolean {
    return this.verdicts[item] === '';
  }

  protected firstHash(item: number): number {
    return this.ids[item] as number;
  }

  protected secondHash(): number {
    return 0;
  }

  protected decideItems(): void {
    for (let position = 0; position < this.commandCount; position += 1) {
      const item = this.itemAt(position);
      if (this.isOpen(item) && !this.setAside(item, this.firstHash(item), 0)) this.verdicts[item] = 'decided';
    }
  }

  protected async answerFrom(item: number, sequence: number): Promise<boolean> {
    const { asked, commits } = this.knowledge;
    asked.push(`${this.ids[item]} in ${sequence}`);
    if (sequence === 98) throw new Error('the log is gone');
    if (sequence === 99) throw new TurnLostError();
    if (!commits.get(sequence)?.includes(this.ids[item] as number)) return false;
    this.verdicts[item] = `as in ${sequence}`;
    return true;
  }

  protected refuse(item: number, refusal: RequestRefusal, message?: string): void {
    this.verdicts[item] = message ?? refusal;
  }

  protected again(items: readonly number[], done: () => void): Ids {
    return new Ids(this.knowledge, this.fake, this.ids, this.verdicts, done, this.troubles, items);
  }

  protected trouble(what: string): void {
    this.troubles.push(what);
  }
}

/** Runs the ids to their verdicts as a partition does: prepared, decided, settled. */
async function run(knowledge: Knowledge, ids: readonly number[], change: (fake: PartitionOfKnowledge) => void = () => undefined) {
  const fake = new PartitionOfKnowledge(knowledge);
  const verdicts = ids.map(() => '');
  const troubles: string[] = [];
  let done = false;
  const submission = new Ids(knowledge, fake, ids, verdicts, () => void (done = true), troubles);
  let rounds = 0;
  for (let next: RequestSubmission | undefined = submission; next !== undefined; next = fake.submitted.shift()) {
    rounds += 1;
    await next.prepared;
    next.decide({} as Turn);
    change(fake);
    next.settle(10 * rounds);
    while (!done && fake.submitted.length === 0) await new Promise(setImmediate);
  }
  return { verdicts, troubles, sequence: submission.sequence, rounds };
}

test('new requests are decided, and nothing is read', async () => {
  const knowledge = new Knowledge();
  expect(await run(knowledge, [1, 2])).toEqual({ verdicts: ['decided', 'decided'], troubles: [], sequence: 10, rounds: 1 });
  expect(knowledge.asked).toEqual([]);
});

test.each(['memory', 'disk'] as const)('a repeat that the %s knows is answered from its commit, the others are decided', async (where) => {
  const knowledge = new Knowledge();
  knowledge[where].set(2, [15]);
  knowledge.commits.set(15, [2]);
  expect(await run(knowledge, [1, 2])).toMatchObject({ verdicts: ['decided', 'as in 15'], sequence: 15, rounds: 1 });
});

test('a suspect whose commits do not hold it is submitted again, and they are not read again', async () => {
  const knowledge = new Knowledge();
  knowledge.memory.set(2, [5]);
  knowledge.disk.set(2, [3]);
  expect(await run(knowledge, [1, 2])).toMatchObject({ verdicts: ['decided', 'decided'], sequence: 20, rounds: 2 });
  expect(knowledge.asked).toEqual(['2 in 5', '2 in 3']);
});

test('what a round has ruled out stays ruled out in the rounds behind it', async () => {
  const knowledge = new Knowledge();
  knowledge.memory.set(1, [5]);
  const result = await run(knowledge, [1], () => {
    const known = knowledge.memory.get(1) as number[];
    if (known.length < 3) known.push(known.length + 5);
  });
  expect(result).toMatchObject({ verdicts: ['decided'] });
  expect(knowledge.asked).toEqual(['1 in 5', '1 in 6', '1 in 7']);
});

test('passes are bounded: what collides again and again is refused, and may be sent again', async () => {
  const knowledge = new Knowledge();
  knowledge.memory.set(1, [5]);
  const result = await run(knowledge, [1, 2], () => {
    const known = knowledge.memory.get(1) as number[];
    known.push(known.length + 5);
  });
  expect(result).toMatchObject({ verdicts: ['PARTITION_UNAVAILABLE', 'decided'], rounds: 8 });
});

test('a fault in an answer is told, and refuses what has no verdict; the process goes on', async () => {
  const knowledge = new Knowledge();
  knowledge.memory.set(1, [5]);
  const troubles: string[] = [];
  const verdicts = [''];
  let calls = 0;
  const done = new Promise<void>((resolve) => {
    const submission = new Ids(knowledge, new PartitionOfKnowledge(knowledge), [1], verdicts, resolve, troubles);
    submission.decide({} as Turn);
    jest.spyOn(submission as unknown as { again: () => never }, 'again').mockImplementation(() => {
      calls += 1;
      throw new TypeError('a fault');
    });
    submission.settle(10);
  });
  await done;
  expect([calls, verdicts, troubles]).toEqual([1, ['INTERNAL'], ['a repeat could not be answered']]);
});

test('without the look-up nothing is decided', async () => {
  const knowledge = new Knowledge();
  knowledge.disk.set(2, [3]);
  knowledge.diskFails = true;
  const result = await run(knowledge, [1, 2]);
  expect(result.verdicts).toEqual(['PARTITION_UNAVAILABLE', 'PARTITION_UNAVAILABLE']);
  expect(result.troubles).toHaveLength(1);
});

test.each`
  commit | troubles | because
  ${99}  | ${0}     | ${'its turn is lost'}
  ${98}  | ${1}     | ${'the log cannot be read'}
`('a repeat whose commit cannot be had is unavailable: $because', async ({ commit, troubles }: { commit: number; troubles: number }) => {
  const knowledge = new Knowledge();
  knowledge.memory.set(1, [commit]);
  const result = await run(knowledge, [1, 2]);
  expect(result.verdicts).toEqual(['PARTITION_UNAVAILABLE', 'decided']);
  expect(result.troubles).toHaveLength(troubles);
});

test('a partition that does not serve any more is not submitted to again', async () => {
  const knowledge = new Knowledge();
  knowledge.memory.set(1, [5]);
  const result = await run(knowledge, [1, 2], (fake) => {
    fake.state = 'loading';
  });
  expect(result.verdicts).toEqual(['PARTITION_UNAVAILABLE', 'decided']);
});

test.each`
  refusing                                     | verdict
  ${new QueueFullError(1)}                     | ${'QUEUE_FULL'}
  ${new SubmissionTooLargeError(1, 'too big')} | ${'too big; send smaller batches'}
`('a submission that is not taken refuses its open items: $verdict', ({ refusing, verdict }: { refusing: Error; verdict: string }) => {
  const fake = new PartitionOfKnowledge(new Knowledge());
  fake.refusing = refusing;
  const verdicts = ['', 'malformed'];
  const done = jest.fn();
  new Ids(new Knowledge(), fake, [1, 2], verdicts, done).submit();
  expect([verdicts, done.mock.calls]).toEqual([[verdict, 'malformed'], [[]]]);
});

test.each<[SubmissionFailure, boolean]>([
  ['PARTITION_UNAVAILABLE', false],
  ['SHUTTING_DOWN', false],
  ['NOT_OWNER', true],
])('a lost turn refuses all items with %s, decided ones too', (failure, notOwner) => {
  const verdicts = ['', ''];
  const submission = new Ids(new Knowledge(), new PartitionOfKnowledge(new Knowledge()), [1, 2], verdicts, () => undefined);
  submission.decide({} as Turn);
  submission.fail(failure);
  expect([verdicts, submission.notOwner]).toEqual([[failure, failure], notOwner]);
});
