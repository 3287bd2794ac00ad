/** `sluice.projection.v1.ProjectionService`: status, rebuild and verification of whatever projector runs behind it. */
import { projectionpb } from '@sluice/protocol';
import { type Readiness, refusal, serverStream, type ServiceRegistration, unary } from '@sluice/service';
import { progressOf } from './progress-stream';
import { type ProjectorControl, ProjectionBehindError, ProjectorDownError, RebuildRunningError } from './projector-control';

export function projectionService(control: ProjectorControl, readiness: Readiness): ServiceRegistration {
  const implementation: projectionpb.ProjectionServiceServer = {
    getStatus: unary(async () => {
      try {
        return statusMessage(await control.status());
      } catch (error) {
        throw refusalOf(error);
      }
    }),
    rebuild: serverStream(async function* () {
      try {
        for await (const { doneCommits, totalCommits, switched, copy } of progressOf(control.rebuild.bind(control))) {
          yield { doneCommits: BigInt(doneCommits), totalCommits: BigInt(totalCommits), switched, copy };
        }
      } catch (error) {
        throw refusalOf(error);
      }
    }),
    verifyAll: serverStream(async function* (_request, call) {
      try {
        for await (const progress of progressOf<Parameters<Parameters<typeof control.verifyAll>[0]>[0]>((report) => control.verifyAll(report, call.signal))) {
          const { doneCommits, totalCommits, compared, differences, finished, equal } = progress;
          yield {
            doneCommits: BigInt(doneCommits),
            totalCommits: BigInt(totalCommits),
            accounts: BigInt(compared.accounts ?? 0),
            entries: BigInt(compared.entries ?? 0),
            compared: Object.entries(compared).map(([what, count]) => ({ what, count: BigInt(count) })),
            differences: [...differences],
            finished,
            equal,
          };
        }
      } catch (error) {
        throw refusalOf(error);
      }
    }),
  };
  return {
    name: 'sluice.projection.v1.ProjectionService',
    definition: projectionpb.ProjectionServiceService,
    implementation: { ...implementation },
    readiness,
  };
}

/** What callers are told of the projector's errors; others are faults. */
export function refusalOf(error: unknown): unknown {
  if (error instanceof RebuildRunningError) return refusal('REBUILD_RUNNING');
  if (error instanceof ProjectionBehindError) return refusal('READ_BEHIND', error.message);
  if (error instanceof ProjectorDownError) return refusal('STARTING', error.message);
  return error;
}

function statusMessage(status: Awaited<ReturnType<ProjectorControl['status']>>): projectionpb.GetStatusResponse {
  return {
    partitions: status.partitions.map(({ partition, checkpoint, headSequence, lagUs, heldHere, blocked, filling }) => ({
      partition,
      checkpoint: BigInt(checkpoint),
      headSequence: BigInt(headSequence),
      lagUs: BigInt(Math.round(lagUs)),
      heldHere,
      blocked: blocked && { sequence: BigInt(blocked.sequence), error: blocked.error },
      filling: filling.map(({ projection, sequence }) => ({ projection, sequence: BigInt(sequence) })),
    })),
    copy: status.copy,
    setAside: status.setAside.map(({ aggregate, key, partition, sequence, error }) => ({ aggregate, key, partition, sequence: BigInt(sequence), error })),
    projectedPostings: BigInt(status.projectedPostings),
    incarnation: status.incarnation,
    hottestAccount: status.hottestAccount ?? '',
  };
}
