import { until } from '@sluice/judged-load';
import { STREAM, withStreams } from './harness/commit-stream';
import { testFault } from './harness/under-load';

testFault('the stream of commits is deleted: it is made anew, and projection goes on', {}, async ({ distributed, load }) => {
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
});
