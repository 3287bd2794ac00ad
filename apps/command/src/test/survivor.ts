/** A caller of a process that dies: it asks until there is an answer, and a process that died is followed by another one. */
import type { AggregatesWithAccounts } from './aggregates-with-accounts';
import type { Asked, MethodsOf } from './aggregates-under-test';
import { MortalLog } from './mortal-log';

/** Above every pause after which deliveries that were not reached, and what was not reconciled, come again. */
const PAUSE_MS = 1_000;
/** Rounds of the event loop between two of them. */
const ROUNDS = 20;

/** What a survivor needs of the capability under test. */
type Mortal = Pick<AggregatesWithAccounts<MethodsOf<object>>, 'mortality' | 'crash' | 'clock' | 'fireDue' | 'isServing'> & {
  call(method: string, request: Asked): Promise<unknown>;
};

export class Survivor<UnderTest> {
  deaths = 0;
  private calls = 0;
  private readonly mortal: Mortal;

  constructor(readonly under: UnderTest & Omit<Mortal, 'call'>) {
    this.mortal = under as unknown as Mortal;
  }

  call(method: string, request: Asked): Promise<void> {
    this.calls += 1;
    const requestId = `call ${this.calls}`;
    return this.ask(() => this.mortal.call(method, { requestId, ...request }));
  }

  /** What is left of the work of a process that died is of no interest. */
  private async ask(work: () => Promise<unknown>): Promise<void> {
    for (;;) {
      let outcome: { readonly error?: unknown } | undefined;
      void work().then(
        () => void (outcome = {}),
        (error: unknown) => void (outcome = { error }),
      );
      for (let round = 1; outcome === undefined && !this.isDead; round += 1) await this.pass(round);
      if (!this.isDead && outcome !== undefined) {
        if ('error' in outcome) throw outcome.error;
        return;
      }
      await this.succeed();
    }
  }

  async until(is: () => boolean): Promise<void> {
    for (let round = 0; ; round += 1) {
      if (this.isDead) await this.succeed();
      if (round % ROUNDS === 0) this.fire();
      if (!this.isDead && this.mortal.isServing && is()) return;
      await this.pass(round);
    }
  }

  /** What is fired waits for the process, which may die meanwhile: it is not waited for here. */
  private fire(): void {
    void this.mortal.fireDue().catch(() => undefined);
  }

  /** Deliveries that were not reached come again after a pause, and an answer may wait for one. */
  private async pass(round: number): Promise<void> {
    if (round % ROUNDS === 0) await this.mortal.clock.elapse(PAUSE_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }

  private async succeed(): Promise<void> {
    this.deaths += 1;
    this.mortal.mortality = MortalLog.immortal();
    await this.mortal.crash();
  }

  private get isDead(): boolean {
    return this.mortal.mortality.isDead;
  }
}
