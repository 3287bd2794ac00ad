/** `sluice.log.v1.LogService`: reads the event log for people, and compares aggregates with it. */
import { partitionOfKey, partitionOfWholeKey } from '@sluice/domain';
import { type CalendarDate, dateFromText } from '@sluice/domain/day';
import type { Clock, EventLog } from '@sluice/ports';
import { type AggregateName, PROJECTIONS } from '@sluice/projections';
import { ACCOUNT_AGGREGATE, type DayProofSums } from '@sluice/projections/account';
import { logpb, readCommit, timestampFromUs } from '@sluice/protocol';
import { type CallContext, invalidRequest, refusal, serverStream, type ServiceRegistration, unary } from '@sluice/service';
import { commitView } from './commit-view';
import { NewestOwners } from './newest-owners';
import { refusalOf } from './projection-service';
import { type AggregateReport, type ProjectorControl, UnknownAggregateError } from './projector-control';
import { Wakeup } from './wakeup';

const MAXIMUM_KEY_BYTES = 128;
/** Some rows have keys of two ids. */
const MAXIMUM_ROW_KEY_BYTES = 512;
const DEFAULT_PAGE_SIZE = 100;
const MAXIMUM_PAGE_SIZE = 1_000;
const PAGE_BYTES = 4 * 1024 * 1024;
/** How often a tail looks for new commits: one cheap read for all partitions. */
const TAIL_POLL_MS = 100;
const TAIL_PAGE = { maxCommits: 100, maxBytes: 1024 * 1024 };

export interface LogServiceOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly control: ProjectorControl;
}

export function logService({ log, clock, control }: LogServiceOptions): ServiceRegistration {
  const { partitions, incarnation } = log.identity;
  const owners = new NewestOwners(log);

  const checkPartition = (partition: number): void => {
    if (partition < 0 || partition >= partitions) throw refusal('PARTITION_NOT_FOUND', `partition ${partition} is not one of 0 to ${partitions - 1}`);
  };

  const verify = async (capability: string, name: AggregateName, notFound: 'ACCOUNT_NOT_FOUND' | 'AGGREGATE_NOT_FOUND', call: CallContext) => {
    try {
      const report: AggregateReport = await control.verifyAggregate(capability, name, call.signal);
      return { ...report, differences: [...report.differences], sequence: BigInt(report.sequence) };
    } catch (error) {
      throw error instanceof UnknownAggregateError ? refusal(notFound, error.message) : refusalOf(error);
    }
  };

  const verifiedDay = async (branchId: string, date: CalendarDate, call: CallContext) => {
    try {
      return await control.verifyDay(branchId, date, call.signal);
    } catch (error) {
      throw refusalOf(error);
    }
  };

  const implementation: logpb.LogServiceServer = {
    getPartition: unary<logpb.GetPartitionRequest, logpb.GetPartitionResponse>(async ({ key, wholeKey }) => {
      const utf8 = checkedKey('key', key);
      const partition = wholeKey ? partitionOfWholeKey(utf8, partitions) : partitionOfKey(utf8, partitions);
      const [heads, { epoch, owner }] = await Promise.all([log.headSequences(), owners.of(partition)]);
      return { partition, partitions, headSequence: BigInt(heads[partition] ?? 0), incarnation, ownerEpoch: BigInt(epoch), owner };
    }),

    readCommits: unary<logpb.ReadCommitsRequest, logpb.ReadCommitsResponse>(async ({ partition, fromSequence, pageSize, headersOnly }) => {
      checkPartition(partition);
      if (pageSize < 0 || pageSize > MAXIMUM_PAGE_SIZE) throw invalidRequest('page_size', `is 1 to ${MAXIMUM_PAGE_SIZE}; 0: ${DEFAULT_PAGE_SIZE}`);
      const first = checkedSequence(fromSequence) || 1;
      const records = await log.read(partition, first, { maxCommits: pageSize || DEFAULT_PAGE_SIZE, maxBytes: PAGE_BYTES });
      const last = records.at(-1)?.sequence ?? 0;
      const head = (await log.headSequences())[partition] ?? 0;
      return {
        commits: records.map((record) => commitView(readCommit(record.bytes), headersOnly)),
        nextSequence: BigInt(last > 0 && last < head ? last + 1 : 0),
      };
    }),

    tailCommits: serverStream<logpb.TailCommitsRequest, logpb.TailCommitsResponse>(async function* ({ partition, fromSequence, headersOnly }, call) {
      if (partition !== undefined) checkPartition(partition);
      else if (fromSequence !== 0n) throw invalidRequest('from_sequence', 'needs a partition');
      const heads = await log.headSequences();
      const next = heads.map((head) => head + 1);
      if (partition !== undefined && fromSequence !== 0n) next[partition] = checkedSequence(fromSequence);
      const tailed = partition === undefined ? next.map((_, one) => one) : [partition];
      while (!call.ended) {
        const newest = await log.headSequences();
        let found = false;
        for (const one of tailed) {
          if ((newest[one] ?? 0) < (next[one] as number)) continue;
          for (const record of await log.read(one, next[one] as number, TAIL_PAGE)) {
            yield { commit: commitView(readCommit(record.bytes), headersOnly) };
            next[one] = record.sequence + 1;
            found = true;
          }
        }
        if (!found) await pause(clock, TAIL_POLL_MS, call);
      }
    }),

    verifyAccount: unary<logpb.VerifyAccountRequest, logpb.VerifyAccountResponse>(async ({ accountId }, call) => {
      checkedKey('account_id', accountId);
      const { figures, ...verified } = await verify('account', { aggregate: ACCOUNT_AGGREGATE, key: accountId }, 'ACCOUNT_NOT_FOUND', call);
      const { balance, entries } = figures;
      return {
        ...verified,
        logBalanceMinor: balance?.log ?? 0n,
        readBalanceMinor: balance?.read ?? 0n,
        logEntryCount: entries?.log ?? 0n,
        readEntryCount: entries?.read ?? 0n,
      };
    }),

    verifyAggregate: unary<logpb.VerifyAggregateRequest, logpb.VerifyAggregateResponse>(async ({ capability, aggregate, key }, call) => {
      checkedKey('key', key, MAXIMUM_ROW_KEY_BYTES);
      const name = { aggregate: kindOf(capability, aggregate), key };
      const { figures, ...verified } = await verify(capability, name, 'AGGREGATE_NOT_FOUND', call);
      return { ...verified, figures: Object.entries(figures).map(([figure, sides]) => ({ name: figure, ...sides })) };
    }),

    verifyDay: unary<logpb.VerifyDayRequest, logpb.VerifyDayResponse>(async ({ branchId, date: text }, call) => {
      checkedKey('branch_id', branchId);
      const date = dateFromText(text);
      if (date === undefined) throw invalidRequest('date', 'is YYYY-MM-DD');
      const verdict = await verifiedDay(branchId, date, call);
      if (verdict.kind !== 'proof') throw refusal(verdict.kind, undefined, { branch_id: branchId, date: text });
      const { accounts, postings, failures, failureCount, sumsByUnit } = verdict;
      const byUnit = (sumOf: (sums: DayProofSums) => bigint): Record<string, string> =>
        Object.fromEntries([...sumsByUnit].map(([unit, sums]) => [unit, String(sumOf(sums))]));
      return {
        accounts: BigInt(accounts),
        postings: BigInt(postings),
        failures: [...failures],
        failureCount: BigInt(failureCount),
        openingMinor: byUnit(({ openingMinor }) => openingMinor),
        postedMinor: byUnit(({ postedMinor }) => postedMinor),
        closingMinor: byUnit(({ closingMinor }) => closingMinor),
        verifiedAt: timestampFromUs(clock.nowUs()),
      };
    }),
  };
  return { name: 'sluice.log.v1.LogService', definition: logpb.LogServiceService, implementation: { ...implementation } };
}

/** The kind of aggregate that is asked for, among those that the capability's projection compares. */
function kindOf(capability: string, aggregate: string): string {
  const projection = PROJECTIONS.find(({ name }) => name === capability);
  if (projection === undefined) throw invalidRequest('capability', `is one of ${PROJECTIONS.map(({ name }) => name).join(', ')}`);
  const kinds = projection.verification.kinds.map((kind) => kind.aggregate);
  const [first = ''] = kinds;
  if (aggregate !== '' && !kinds.includes(aggregate)) throw invalidRequest('aggregate', `is one of ${kinds.join(', ')}`);
  return aggregate === '' ? first : aggregate;
}

function checkedKey(field: string, key: string, maximumBytes = MAXIMUM_KEY_BYTES): Uint8Array {
  const utf8 = Buffer.from(key, 'utf8');
  if (utf8.length < 1 || utf8.length > maximumBytes) throw invalidRequest(field, `is 1 to ${maximumBytes} bytes`);
  return utf8;
}

function checkedSequence(sequence: bigint): number {
  if (sequence < 0n || sequence > BigInt(Number.MAX_SAFE_INTEGER)) throw invalidRequest('from_sequence', 'is a sequence: 1, 2, 3 …');
  return Number(sequence);
}

/** Waits, but not longer than somebody listens. */
async function pause(clock: Clock, milliseconds: number, call: CallContext): Promise<void> {
  const over = new Wakeup();
  const wake = (): void => over.wake();
  const cancel = clock.after(milliseconds, wake);
  call.signal.addEventListener('abort', wake);
  await over.wait();
  call.signal.removeEventListener('abort', wake);
  cancel();
}
