/** Contests, and accounts beside them, as tests call them. */
import { partitionOfKey } from '@sluice/domain';
import type { Contest } from '@sluice/domain/contest';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { accountpb, decodedAccountEvents } from '@sluice/protocol/account';
import { contestEvents, contestpb } from '@sluice/protocol/contest';
import { functionOf } from '@sluice/service';
import { CALL, type Asked } from './aggregates-under-test';
import { AggregatesWithAccounts } from './aggregates-with-accounts';
import type { History } from './recorded-history';

const PARTITIONS = 2;

type Methods = typeof contestpb.ContestCommandServiceService;
const CONTESTS = {
  name: 'contest',
  partitions: PARTITIONS,
  service: contestpb.ContestCommandServiceService,
  messages: contestpb,
  defaults: { contestId: 'c' },
};

export class ContestsUnderTest extends AggregatesWithAccounts<Methods> {
  static start(adapter = 'memory'): Promise<ContestsUnderTest> {
    return new ContestsUnderTest(CONTESTS, adapter).run();
  }

  /** Starts over the commits of a history. */
  static over(commits: History['commits']): Promise<ContestsUnderTest> {
    return new ContestsUnderTest(CONTESTS, 'memory').run(commits);
  }

  /** Events of contests and accounts in the log in memory, by name. */
  recorded(): Record<string, unknown[]> {
    const events: Record<string, unknown[]> = {};
    for (const { commit, event } of this.events()) {
      const table = contestEvents.owns(event.type) ? contestEvents : decodedAccountEvents;
      if (!table.owns(event.type)) continue;
      const name = event.type.slice(event.type.indexOf('.') + 1);
      (events[name] ??= []).push((table.readOnly as (name: string, event: EventRecord, place: DecodedCommit) => unknown).call(table, name, event, commit));
    }
    return events;
  }

  /** Why the method refuses the bytes. */
  refusalOfBytes(method: string, bytes: Uint8Array): Promise<string> {
    return this.answerOf(method, Buffer.from(bytes)).then(
      () => `${method} took them`,
      (error: unknown) => (error as { reason?: string }).reason ?? String(error),
    );
  }

  /** Sends the scores on one stream, and resolves with the answers. */
  async stream(scores: readonly Asked[]): Promise<contestpb.ScoreStreamResponse[]> {
    const definition = contestpb.ContestCommandServiceService.scoreStream;
    const registration = this.runtime?.registrations.find((one) => 'scoreStream' in one.definition);
    const carried = functionOf(registration?.implementation['scoreStream'] as object);
    if (carried?.form !== 'bidi') throw new Error('scoreStream is no stream');
    const answers: contestpb.ScoreStreamResponse[] = [];
    const send = (answer: unknown): undefined => void answers.push(definition.responseDeserialize(answer as Buffer));
    const sent = async function* (): AsyncGenerator<Buffer> {
      for (const score of scores) yield definition.requestSerialize(contestpb.ScoreStreamRequest.fromPartial({ score }));
    };
    await carried.run(sent() as never, send, CALL);
    return answers;
  }

  /** Orders a transfer as a caller does. */
  async transfer(transfer: Asked): Promise<void> {
    await this.answerOf('transfer', Buffer.from(accountpb.TransferRequest.encode(accountpb.TransferRequest.fromPartial({ transfer })).finish()));
  }

  async create(rules: Asked = {}, contestId = 'c'): Promise<void> {
    const sides = [
      { sideId: 'red', accountIds: ['r1', 'r2'] },
      { sideId: 'blue', accountIds: ['b1'] },
    ];
    await this.call('createContest', { contestId, rules, sides });
  }

  /** The state of a contest as its partition has it. */
  contest(contestId = 'c'): Contest {
    return this.stateOf(this.partitionOf(contestId), 'contest', contestId) as Contest;
  }

  partitionOf(contestId: string): number {
    return partitionOfKey(Buffer.from(contestId, 'utf8'), PARTITIONS);
  }

  /** The partition of the contest is served by nobody from now on. */
  async disown(contestId: string): Promise<void> {
    await this.runtime?.engine.disown(this.partitionOf(contestId), { snapshot: false });
  }

  /** Fires what is due, and waits until the contest is as it should be. */
  async until(is: (contest: Contest) => boolean, contestId = 'c'): Promise<Contest> {
    for (let round = 0; ; round += 1) {
      // What is due now may become due by what is fired.
      if (round % 50 === 0) await this.fireDue();
      const contest = this.contest(contestId);
      if (is(contest)) return contest;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
