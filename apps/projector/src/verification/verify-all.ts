/**
 * Folds the whole log and compares it with the rows of every projection, partition by partition, while both go on. What may differ is
 * looked at closely: it is compared on its own once more, which says what differs.
 */
import { type AggregateName, type PartitionVerification, type Projection, projectionId } from '@sluice/projections';
import type { Report, VerificationProgress } from '../projector-control';
import { commitsUpTo, pauseBetweenReads, reach, type VerificationSources } from './comparison-point';
import { verifyAggregate } from './verify-aggregate';

/** Differences that are reported; the others are counted. */
const REPORTED_DIFFERENCES = 100;
/** Aggregates that are looked at closely: each costs a pass over its partition's log. */
const CLOSE_LOOKS = 20;

interface ProjectionRun {
  readonly projection: Projection;
  readonly verification: PartitionVerification;
}

export async function verifyAll(sources: VerificationSources & { readonly report: Report<VerificationProgress> }): Promise<void> {
  const heads = await sources.log.headSequences();
  const run = new VerificationRun(sources, heads);
  run.tell(false);
  for (const [partition, head] of heads.entries()) await run.verifyPartition(partition, head);
  run.tell(true);
}

class VerificationRun {
  private doneCommits = 0;
  private totalCommits: number;
  private different = 0;
  private closeLooks = 0;
  private readonly compared = new Map<string, number>();
  private readonly differences: string[] = [];

  constructor(
    private readonly sources: VerificationSources & { readonly report: Report<VerificationProgress> },
    heads: readonly number[],
  ) {
    this.totalCommits = heads.reduce((sum, head) => sum + head, 0);
  }

  tell(finished: boolean): void {
    const { doneCommits, totalCommits, compared, differences, different } = this;
    const equal = finished && different === 0;
    this.sources.report({ doneCommits, totalCommits, compared: Object.fromEntries(compared), differences: [...differences], finished, equal });
  }

  async verifyPartition(partition: number, head: number): Promise<void> {
    const runs = await this.capture(partition, head);
    const last = Math.max(head, ...runs.map(({ verification }) => verification.last));
    this.totalCommits += last - head;
    for await (const commits of commitsUpTo(this.sources, partition, last)) {
      for (const commit of commits) for (const { verification } of runs) verification.take(commit);
      this.doneCommits += commits.length;
      this.tell(false);
    }
    for (const run of runs) await this.compare(partition, run);
    this.tell(false);
  }

  private async capture(partition: number, head: number): Promise<ProjectionRun[]> {
    const { sources } = this;
    const copy = await reach(sources, partition, head);
    const runs: ProjectionRun[] = [];
    for (const projection of sources.projections) {
      const scope = { copy, projection: projectionId(projection), partition, head, pause: () => pauseBetweenReads(sources), signal: sources.signal };
      runs.push({ projection, verification: await projection.verification.partition(scope) });
    }
    return runs;
  }

  private async compare(partition: number, { projection, verification }: ProjectionRun): Promise<void> {
    const { compared, faults, suspicious } = await verification.compare();
    for (const [what, count] of Object.entries(compared)) this.compared.set(what, (this.compared.get(what) ?? 0) + count);
    for (const fault of faults) this.differ(`partition ${partition}: ${fault}`);
    for (const name of suspicious) await this.lookClosely(partition, projection, name);
  }

  private async lookClosely(partition: number, projection: Projection, name: AggregateName): Promise<void> {
    const who = `${name.aggregate} "${name.key}"`;
    this.closeLooks += 1;
    if (this.closeLooks > CLOSE_LOOKS) {
      this.differ(`${who}: differs`);
      return;
    }
    const { differences } = await verifyAggregate(this.sources, projection, name, partition);
    for (const difference of differences) this.differ(`${who}: ${difference}`);
  }

  private differ(difference: string): void {
    this.different += 1;
    if (this.differences.length < REPORTED_DIFFERENCES) this.differences.push(difference);
  }
}
