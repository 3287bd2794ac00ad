import { NO_DEADLINE, until } from '@sluice/judged-load';
import type { LinkedDeployment } from '../harness/linked-deployment';
import { commandClient, credit, openSideAccount, postReasons } from '../harness/side-account';
import { PARTITIONS, type Fault } from '../harness/under-load';

const STALE_ACCOUNT = '{l}-stale';
const STALE_PARTITION = 0;

interface LogLine {
  readonly partition?: number;
  readonly message?: string;
  readonly error?: { readonly name?: string };
}

export const ownerPaused = (links: LinkedDeployment): Fault => ({
  name: 'an owner paused for longer than its lease: when it goes on it appends, and the log refuses what it appends',
  run: async ({ load, projector, calls, lines, ownerOf, holderOf }) => {
    const paused = await ownerOf(STALE_PARTITION);
    const client = commandClient(paused.address);
    expect(load.partitionOf(STALE_ACCOUNT)).toBe(STALE_PARTITION);
    await openSideAccount(client, STALE_ACCOUNT);
    const link = links.natsLink(paused.name);
    try {
      // It never hears of the new owner: only the log can say that the partition has one.
      link.silence();
      paused.signal('SIGSTOP');
      await until('another instance owns the partition', async () => ![undefined, paused.name].includes(await holderOf(`command/${STALE_PARTITION}`)));
      await load.moreEverywhere(20);
      const answer = postReasons(client, [credit(STALE_ACCOUNT, 'stale')], { limitMs: NO_DEADLINE });
      paused.signal('SIGCONT');
      // The append is refused, and the old owner steps down. It knows of no other instance that it could send the request on to.
      expect(await answer).toEqual(['PARTITION_UNAVAILABLE']);
    } finally {
      paused.signal('SIGCONT');
      link.speak();
      client.close();
    }
    const refusedAppend = ({ partition, message, error }: LogLine): boolean =>
      partition === STALE_PARTITION && message === 'another owner has taken the partition: an append was refused' && error?.name === 'SequenceTakenError';
    await until('it says that the log refused its append', () => lines.of(paused.name).some((line) => refusedAppend(JSON.parse(line) as LogLine)));
    const again = commandClient(paused.address);
    await until('the posting has its verdict', async () => (await postReasons(again, [credit(STALE_ACCOUNT, 'stale')], { limitMs: 2_000 }))[0] === undefined);
    again.close();
    await load.more(1_000);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      const epochs = await calls.epochs(projector[0]?.address ?? '', partition);
      expect([...epochs].sort((left, right) => Number(left - right))).toEqual(epochs);
    }
  },
});
