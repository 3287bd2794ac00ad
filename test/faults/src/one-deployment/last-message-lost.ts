import { caughtUp } from '@sluice/judged-load';
import { STREAM, subjectOf, withStreams } from '../harness/commit-stream';
import { PARTITIONS, type Fault } from '../harness/under-load';

export const lastMessageLost: Fault = {
  name: 'the last messages of idle partitions are lost: the projector looks at the log and finds what they were about',
  options: { afterwards: false },
  run: async ({ distributed, load, projector, calls }) => {
    await Promise.all(projector.map((each) => each.stop()));
    await load.more(200);
    await load.stop();
    await withStreams(distributed, async (manager) => {
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        const last = await manager.streams.getMessage(STREAM, { last_by_subj: subjectOf(partition) });
        if (last !== null) await manager.streams.deleteMessage(STREAM, last.seq);
      }
    });
    await Promise.all(projector.map((each) => each.start()));
    await Promise.all(projector.map((each) => each.untilServing()));
    await caughtUp(calls, projector[0]?.address ?? '');
  },
};
