import { caughtUp } from '@sluice/judged-load';
import { STREAM, subjectOf, withStreams } from './harness/commit-stream';
import { PARTITIONS, testFault } from './harness/under-load';

testFault(
  'the last messages of idle partitions are lost: the projector looks at the log and finds what they were about',
  { afterwards: false },
  async ({ distributed, load, projector, calls }) => {
    const [only] = projector;
    await only?.stop();
    await load.more(200);
    await load.stop();
    await withStreams(distributed, async (manager) => {
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        const last = await manager.streams.getMessage(STREAM, { last_by_subj: subjectOf(partition) });
        if (last !== null) await manager.streams.deleteMessage(STREAM, last.seq);
      }
    });
    await only?.start();
    await only?.untilServing();
    await caughtUp(calls, only?.address ?? '');
  },
);
