/**
 * What a load consists of: for each call in flight a slot that makes the next request and looks at its answer.
 */
import { accountpb } from '@sluice/protocol/account';
import { contestpb } from '@sluice/protocol/contest';
import { reservationpb } from '@sluice/protocol/reservation';
import { taskpb } from '@sluice/protocol/task';
import { randomBytes } from 'node:crypto';
import { type BatchVerdict, findFault, readBatchVerdict } from './batch-verdict';
import { giftBatchFrame, scoreBatchFrame } from './contest-frame';
import { findGiftFault, findScoreFault, readItemVerdict } from './item-verdict';
import { numberedAccountId, type AccountChoice, type Calls, type TransferChoice } from './load-order';
import type { NumberedFrame } from './numbered-frame';
import { buildFrame, creditOf, writeRandomAccounts, writeRequestIds, type RequestFrame } from './request-frame';
import { type ReservationChoice, ReservationFrame } from './reservation-frame';
import { findAssociateFault, findReserveFault, readReservationVerdict } from './reservation-verdict';
import { REQUEST_ID_LENGTH, RequestIds } from './request-ids';
import { signPosting } from './signature';
import { TaskFrame } from './task-frame';
import { TransferFrame } from './transfer-frame';

/** One answer in so many is decoded whole and looked at item by item. */
const SAMPLE_EVERY = 64;

export interface Verdict {
  readonly accepted: number;
  readonly refused: number;
  readonly complaint?: string | undefined;
}

export interface CallSlot {
  /** The next request; its bytes may be those of the one before, written over. Undefined: there are no more. */
  next(): Buffer | undefined;
  /** The method of the request that `next` returned; undefined: that of the source. */
  readonly path?: string;
  judge(answer: Buffer): Verdict;
}

export interface CallSource {
  readonly path: string;
  /** @param index the number of the call in flight: 0, 1, 2 … */
  slot(index: number): CallSlot;
}

export function callSource(calls: Calls): CallSource {
  switch (calls.kind) {
    case 'batches':
      return batches(calls.account, calls.batchSize);
    case 'transferBatches':
      return transferBatches(calls.between, calls.batchSize);
    case 'singles':
      return singles(calls.account);
    case 'scoreBatches':
      return contestBatches(calls, contestpb.ContestCommandServiceService.scoreBatch.path, () => scoreBatchFrame(calls), findScoreFault);
    case 'giftBatches':
      return contestBatches(calls, contestpb.ContestCommandServiceService.giftBatch.path, () => giftBatchFrame(calls), findGiftFault);
    case 'reservationBatches':
      return reservationsAndAssociates({ shape: 'batch', items: calls.batchSize, identities: calls.identities, resourceId: '' });
    case 'reservationSingles':
      return reservationsAndAssociates({ shape: 'single', items: 1, identities: calls.identities, resourceId: '' });
    case 'reserveBatches':
      return reserveBatches(calls);
    case 'taskSingles':
      return taskSingles(calls.queue, calls.type);
    case 'signedBatches':
      return signedBatches(calls.accountId, calls.batchSize, calls.signingKey, calls.prepared);
    case 'getAccount':
      return reads(
        accountpb.AccountQueryServiceService.getAccount.path,
        accountpb.GetAccountRequest.encode({ accountId: calls.accountId, positionToken: '', positionTokens: [] }).finish(),
        (answer) => accountpb.GetAccountResponse.decode(answer).account?.accountId === calls.accountId,
      );
    case 'listEntries':
      return reads(
        accountpb.AccountQueryServiceService.listEntries.path,
        accountpb.ListEntriesRequest.encode(accountpb.ListEntriesRequest.fromPartial({ accountId: calls.accountId, pageSize: calls.pageSize })).finish(),
        (answer) => accountpb.ListEntriesResponse.decode(answer).entries.length > 0,
      );
    case 'getStandings':
      return reads(
        contestpb.ContestQueryServiceService.getStandings.path,
        contestpb.GetStandingsRequest.encode(
          contestpb.GetStandingsRequest.fromPartial({ contestId: calls.contestId, accountId: calls.accountId, pageSize: calls.pageSize }),
        ).finish(),
        (answer) => contestpb.GetStandingsResponse.decode(answer).members.length > 0,
      );
    default:
      return unreachable(calls);
  }
}

function batches(account: AccountChoice, batchSize: number): CallSource {
  const ids = newRequestIds();
  return {
    path: accountpb.AccountCommandServiceService.postBatch.path,
    slot: (index) => {
      const frame = frameOf(account, batchSize, index);
      const judge = batchJudge(batchSize);
      return { next: () => refresh(frame, ids, account), judge };
    },
  };
}

/** A TransferBatchResponse has the fields of a PostBatchResponse, so it is judged like one. */
function transferBatches(between: TransferChoice, batchSize: number): CallSource {
  const ids = newRequestIds();
  return {
    path: accountpb.AccountCommandServiceService.transferBatch.path,
    slot: (index) => {
      const frame = new TransferFrame(between, batchSize, index);
      return { next: () => frame.next(ids), judge: batchJudge(batchSize) };
    },
  };
}

function contestBatches({ batchSize }: { readonly batchSize: number }, path: string, frameOfSlot: () => NumberedFrame, fault: FaultFinder): CallSource {
  const ids = newRequestIds();
  return {
    path,
    slot: () => {
      const frame = frameOfSlot();
      return { next: () => frame.next(ids), judge: batchJudge(batchSize, readItemVerdict, fault) };
    },
  };
}

/** Each slot reserves, waits for the answer, and associates with what it reserved. */
function reservationsAndAssociates(choice: ReservationChoice): CallSource {
  const ids = newRequestIds();
  const commands = reservationpb.ReservationCommandServiceService;
  const [reserve, associate] =
    choice.shape === 'batch' ? [commands.reserveBatch.path, commands.associateBatch.path] : [commands.reserve.path, commands.associate.path];
  return {
    path: reserve,
    slot: () => {
      const frame = new ReservationFrame(choice);
      const [judgeReserve, judgeAssociate] = choice.shape === 'batch' ? batchJudges(choice.items) : [judgeReservation, judgeReservation];
      let reserves = false;
      return {
        get path() {
          return reserves ? reserve : associate;
        },
        next: () => {
          reserves = !reserves;
          return reserves ? frame.nextReserve(ids) : frame.nextAssociate(ids);
        },
        judge: (answer) => (reserves ? judgeReserve(answer) : judgeAssociate(answer)),
      };
    },
  };
}

function reserveBatches({ batchSize, identities, resourceId }: Extract<Calls, { kind: 'reserveBatches' }>): CallSource {
  const ids = newRequestIds();
  return {
    path: reservationpb.ReservationCommandServiceService.reserveBatch.path,
    slot: () => {
      const frame = new ReservationFrame({ shape: 'batch', items: batchSize, identities, resourceId });
      const [judge] = batchJudges(batchSize);
      return { next: () => frame.nextReserve(ids), judge };
    },
  };
}

type Judge = (answer: Buffer) => Verdict;

function batchJudges(items: number): [reserve: Judge, associate: Judge] {
  return [batchJudge(items, readReservationVerdict, findReserveFault), batchJudge(items, readReservationVerdict, findAssociateFault)];
}

/** A ReserveResponse and an AssociateResponse have these fields in common. */
function judgeReservation(answer: Buffer): Verdict {
  const { reason, repeated, positionToken } = reservationpb.ReserveResponse.decode(answer);
  if (reason === '' && !repeated && positionToken !== '') return ACCEPTED_ONE;
  return { accepted: 0, refused: 1, complaint: `a request was answered with ${JSON.stringify({ reason, repeated, positionToken })}` };
}

function singles(account: AccountChoice): CallSource {
  const ids = newRequestIds();
  return {
    path: accountpb.AccountCommandServiceService.post.path,
    slot: (index) => {
      const frame = frameOf(account, 1, index);
      let answers = 0;
      return {
        next: () => refresh(frame, ids, account),
        // A refusal of a single posting is a gRPC error, so an answer is an acceptance; a sample is looked at.
        judge: (answer) => {
          if (answers++ % SAMPLE_EVERY !== 0) return ACCEPTED_ONE;
          const { result, positionToken } = accountpb.PostResponse.decode(answer);
          const right = result !== undefined && result.error === undefined && !result.repeated && result.entryNumber > 0n && positionToken !== '';
          return right ? ACCEPTED_ONE : { accepted: 0, refused: 1, complaint: `a posting was answered with ${JSON.stringify(result, printable)}` };
        },
      };
    },
  };
}

function taskSingles(queue: string, type: string): CallSource {
  const ids = newRequestIds();
  return {
    path: taskpb.TaskCommandServiceService.createTask.path,
    slot: () => {
      const frame = new TaskFrame(queue, type);
      let answers = 0;
      return {
        next: () => frame.next(ids),
        judge: (answer) => {
          if (answers++ % SAMPLE_EVERY !== 0) return ACCEPTED_ONE;
          const { task, positionToken } = taskpb.CreateTaskResponse.decode(answer);
          const right = task !== undefined && !task.repeated && task.version === 1 && positionToken !== '';
          return right ? ACCEPTED_ONE : { accepted: 0, refused: 1, complaint: `a task was answered with ${JSON.stringify(task)}` };
        },
      };
    },
  };
}

function signedBatches(accountId: string, batchSize: number, signingKey: Uint8Array, prepared: number): CallSource {
  const ids = newRequestIds();
  const id = Buffer.from(creditOf(accountId, 1n).requestId, 'latin1');
  const signedAtUs = BigInt(Date.now()) * 1000n;
  const requests = Array.from({ length: prepared }, () => {
    const postings = Array.from({ length: batchSize }, (_, index) => {
      ids.writeNext(id, 0);
      const posting: accountpb.Posting = { ...creditOf(accountId, BigInt(index + 1)), requestId: id.toString('latin1', 0, REQUEST_ID_LENGTH), signedAtUs };
      return { ...posting, signature: signPosting(posting, 'CREDIT', signingKey) };
    });
    return Buffer.from(accountpb.PostBatchRequest.encode({ postings, atomic: false }).finish());
  });
  return {
    path: accountpb.AccountCommandServiceService.postBatch.path,
    slot: () => ({ next: () => requests.pop(), judge: batchJudge(batchSize) }),
  };
}

function reads(path: string, request: Uint8Array, isRight: (answer: Buffer) => boolean): CallSource {
  const bytes = Buffer.from(request);
  return {
    path,
    slot: () => {
      let answers = 0;
      return {
        next: () => bytes,
        judge: (answer) =>
          answers++ % SAMPLE_EVERY !== 0 || isRight(answer) ? ACCEPTED_ONE : { accepted: 0, refused: 1, complaint: `${path} answered something else` },
      };
    },
  };
}

const ACCEPTED_ONE: Verdict = Object.freeze({ accepted: 1, refused: 0 });

type VerdictReader = (answer: Buffer) => BatchVerdict;
type FaultFinder = (answer: Buffer, items: number) => string | undefined;

function batchJudge(batchSize: number, read: VerdictReader = readBatchVerdict, fault: FaultFinder = findFault): (answer: Buffer) => Verdict {
  let answers = 0;
  let told = false;
  return (answer) => {
    const { results, accepted } = read(answer);
    const right = accepted === batchSize && results === batchSize;
    // The first that is wrong is looked at; then a sample, so that a server that refuses much does not busy the generator.
    const looked = (!right && !told) || answers++ % SAMPLE_EVERY === 0;
    told ||= !right;
    const complaint = looked ? fault(answer, batchSize) : undefined;
    return { accepted, refused: batchSize - accepted, complaint };
  };
}

function newRequestIds(): RequestIds {
  return new RequestIds(randomBytes(6).readUIntBE(0, 6));
}

function frameOf(account: AccountChoice, batchSize: number, slot: number): RequestFrame {
  return buildFrame(new Array<string>(batchSize).fill(firstAccountOf(account, slot)));
}

function firstAccountOf(account: AccountChoice, slot: number): string {
  switch (account.kind) {
    case 'one':
      return account.accountId;
    case 'each':
      return account.accountIds[slot % account.accountIds.length] as string;
    case 'random':
      return numberedAccountId(0);
    default:
      return unreachable(account);
  }
}

function refresh(frame: RequestFrame, ids: RequestIds, account: AccountChoice): Buffer {
  writeRequestIds(frame, ids);
  if (account.kind === 'random') writeRandomAccounts(frame, account.count);
  return frame.bytes;
}

function printable(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
