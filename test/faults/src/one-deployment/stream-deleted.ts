import { until } from '@sluice/judged-load';
import { STREAM, withStreams } from '../harness/commit-stream';
import { type Fault } from '../harness/under-load';

export const streamDeleted: Fault = {
  name: 'the stream of commits is deleted: it is made anew, and projection goes on',
  run: async ({ distributed, load }) => {
    await withStreams(distributed, async (manager) => {
      await manager.streams.delete(STREAM);
      await until('there is a stream again', () =>
        manager.streams.info(STREAM).then(
          ({ state }) => state.messages > 0,
          () => false,
        ),
      );
    });
    await load.more(500);
  },
};
