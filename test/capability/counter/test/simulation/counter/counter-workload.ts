/** A caller that adds to a counter and repeats additions. The counter is the sum of what was added, once each. */
import { counterpb } from '@sluice/protocol/counter';
import { describe } from '../world/cluster';
import type { Callers, Deployment, Workload } from '../world/deployment';

const { add } = counterpb.CounterCommandServiceService;
const { getCounter } = counterpb.CounterQueryServiceService;
const COUNTER = 'visits';
const ADDITIONS = 20;
const LOOK_US = 100_000;

export class CounterWorkload implements Workload {
  readonly #callers: Callers;
  #sum = 0n;
  done = false;

  constructor(private readonly deployment: Deployment) {
    this.#callers = deployment.callers('visitor');
  }

  get progress(): string {
    return `the counter is at ${this.#sum}`;
  }

  begin(): void {
    this.#addAll().then(
      () => (this.done = true),
      (error: unknown) => this.deployment.world.breach(`the visitor gives up: ${describe(error)}`),
    );
  }

  async #addAll(): Promise<void> {
    const { random } = this.#callers;
    for (let number = 0; number < this.deployment.partOf(ADDITIONS); number += 1) {
      const amount = BigInt(random.between(1, 9));
      this.#sum += amount;
      await this.#add(`visit-${number}`, amount, this.#sum);
      if (random.chance(0.3)) await this.#add(`visit-${number}`, amount, this.#sum);
      await this.#callers.pause(random.below(200_000));
    }
  }

  async #add(requestId: string, amount: bigint, sum: bigint): Promise<void> {
    const request = counterpb.AddRequest.encode({ requestId, counterId: COUNTER, amount }).finish();
    const { value } = counterpb.AddResponse.decode(await this.#callers.call('command', add.path, request));
    if (value !== sum) this.deployment.world.breach(`${requestId} brought the counter to ${value}, not to ${sum}`);
  }

  async judge(): Promise<void> {
    const request = counterpb.GetCounterRequest.encode(counterpb.GetCounterRequest.fromPartial({ counterId: COUNTER })).finish();
    for (;;) {
      const { value } = counterpb.GetCounterResponse.decode(await this.#callers.call('query', getCounter.path, request));
      this.deployment.world.trace.note('judge', `the counter is read as ${value}`);
      if (value === this.#sum) return;
      await this.deployment.world.timeline.pass(LOOK_US);
    }
  }
}
