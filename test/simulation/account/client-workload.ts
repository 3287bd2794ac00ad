/**
 * Programs that use the client library: it draws postings together, repeats them within a deadline, and makes reads wait for what was written. Each
 * program keeps what its promises brought. A posting whose call ended without a verdict is posted again, with its request id, until it has one.
 *
 *   - what a promise brought is in the log, once, with that balance;
 *   - a read of the program shows what it posted before;
 *   - asking again brings the first answer.
 */
import { SluiceClient, SluiceError, type PostingInput, type PostingResult } from '@sluice/client';
import { CallerGroup } from '../world/caller-group';
import type { Callers, Deployment, Workload } from '../world/deployment';
import { postingKey, readLedger } from './ledger-model';

const PROGRAMS = 2;
const ROUNDS_PER_PROGRAM = 6;
const MOST_AT_ONCE = 5;
const UNIT = 'EUR';
const ACCOUNTS = ['client-a', '{client}-b', 'client-c'];
const DEADLINE_MS = 1_500;
/** They say nothing about the posting: it may be recorded. */
const WITHOUT_VERDICT: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'CANCELLED']);

interface Program {
  readonly callers: Callers;
  readonly client: SluiceClient;
  /** The newest entry of each account that an answer to this program named. */
  readonly seen: Map<string, bigint>;
}

type Known = { readonly input: PostingInput; readonly result: PostingResult | undefined; readonly reason: string };

export class ClientWorkload implements Workload {
  readonly #known = new Map<string, Known>();
  readonly #group: CallerGroup;
  readonly #programs: readonly Program[];

  constructor(private readonly deployment: Deployment) {
    this.#group = new CallerGroup(deployment, 'program', PROGRAMS);
    this.#programs = this.#group.members.map((callers) => {
      const channel = (kind: string) => deployment.channel(callers.life, kind === 'query' ? 'query' : 'command');
      return {
        callers,
        client: new SluiceClient({ target: 'command', queryTarget: 'query', deadlineMs: DEADLINE_MS, channel }),
        seen: new Map<string, bigint>(),
      };
    });
  }

  get done(): boolean {
    return this.#group.done;
  }

  get progress(): string {
    return `${this.#known.size} postings of programs have verdicts, ${this.#group.progress}`;
  }

  begin(): void {
    this.#group.begin((_callers, number) => this.#work(this.#programs[number] as Program, number));
  }

  async #work(program: Program, number: number): Promise<void> {
    const { callers, client } = program;
    const { random } = callers;
    for (const accountId of ACCOUNTS) await this.#untilVerdict(callers, () => client.accounts.open({ requestId: `open-${accountId}`, accountId, unit: UNIT }));
    for (let round = 0; round < this.deployment.partOf(ROUNDS_PER_PROGRAM); round += 1) {
      const inputs = Array.from({ length: random.between(1, MOST_AT_ONCE) }, (_, item) => this.#draw(callers, `k${number}-${round}-${item}`));
      // At once: the library draws them together.
      await Promise.all(inputs.map((input) => this.#post(program, input)));
      if (random.chance(0.5)) await this.#readBack(program, random.pick(inputs).accountId);
      if (random.chance(0.3)) await this.#post(program, random.pick([...this.#known.values()]).input);
      await callers.pause(random.below(600_000));
    }
  }

  #draw({ random }: Callers, requestId: string): PostingInput {
    return {
      requestId,
      accountId: random.pick(ACCOUNTS),
      type: random.pick(['CREDIT', 'CREDIT', 'DEBIT'] as const),
      amountMinor: BigInt(random.between(1, 40)),
      unit: UNIT,
    };
  }

  async #post({ callers, client, seen }: Program, input: PostingInput): Promise<void> {
    try {
      const result = await this.#untilVerdict(callers, () => client.accounts.post(input));
      if (result.entryNumber > (seen.get(input.accountId) ?? 0n)) seen.set(input.accountId, result.entryNumber);
      this.#keep(input, result, '');
    } catch (error) {
      if (!(error instanceof SluiceError) || error.verdict === undefined) throw error;
      this.#keep(input, undefined, `${error.reason} at ${error.verdict.balanceMinor}`);
    }
  }

  /** Keeps the first answer, or compares with it. */
  #keep(input: PostingInput, result: PostingResult | undefined, reason: string): void {
    const { world } = this.deployment;
    const key = postingKey(input.accountId, input.requestId ?? '');
    const first = this.#known.get(key);
    if (first === undefined) {
      this.#known.set(key, { input, result, reason });
      world.trace.note('answer', `${key}: ${result === undefined ? reason : `accepted, balance ${result.balanceAfterMinor}`}`);
      return;
    }
    const same = first.reason === reason && first.result?.balanceAfterMinor === result?.balanceAfterMinor && first.result?.entryNumber === result?.entryNumber;
    if (!same) world.breach(`${key} brought ${told(first)} and then ${told({ input, result, reason })}`);
    if (result?.repeated === false) world.breach(`${key} was answered twice, the second time not as a repeat`);
  }

  async #untilVerdict<Result>(callers: Callers, attempt: () => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof SluiceError) || !WITHOUT_VERDICT.has(error.code)) throw error;
        await callers.pause(20_000 + callers.random.below(200_000));
      }
    }
  }

  /** The client has had the answers: its read must show them, and no token is said. */
  async #readBack({ client, seen }: Program, accountId: string): Promise<void> {
    const newest = seen.get(accountId) ?? 0n;
    try {
      const { entryCount } = await client.accounts.get(accountId);
      if (entryCount < newest) this.deployment.world.breach(`${accountId} was read with ${entryCount} entries by a program that knows entry ${newest}`);
    } catch (error) {
      // The read store may be behind, or cut off; that is no breach while there are faults.
      if (!(error instanceof SluiceError) || !WITHOUT_VERDICT.has(error.code)) throw error;
    }
  }

  async judge(): Promise<void> {
    const { world, cluster } = this.deployment;
    const { postings } = readLedger(cluster.decodedLog);
    for (const [key, known] of this.#known) {
      const records = postings.get(key) ?? [];
      if (known.result !== undefined && (records.length !== 1 || records[0]?.balanceAfterMinor !== known.result.balanceAfterMinor))
        world.breach(`${key} brought ${told(known)}; it is in the log ${records.length} times, with balance ${records[0]?.balanceAfterMinor}`);
    }
    const [program] = this.#programs;
    if (program === undefined) return;
    await Promise.all([...this.#known.values()].map(({ input }) => this.#post(program, input)));
  }
}

function told({ result, reason }: Known): string {
  return result === undefined ? reason : `accepted, balance ${result.balanceAfterMinor}, entry ${result.entryNumber}`;
}
