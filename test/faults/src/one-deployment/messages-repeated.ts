import { STREAM, subjectOf, withStreams } from '../harness/commit-stream';
import { PARTITIONS, type Fault } from '../harness/under-load';

const ROUNDS = 20;
/** Messages back from the newest: each round repeats an old one, out of its order. */
const BACK = [0, 7, 3, 1];

export const messagesRepeated: Fault = {
  name: 'messages that come twice, late and out of order: each commit is projected once, in order',
  run: async ({ distributed, load }) => {
    await withStreams(distributed, async (manager) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        for (let partition = 0; partition < PARTITIONS; partition += 1) {
          const { state } = await manager.streams.info(STREAM);
          const old = await manager.direct.getMessage(STREAM, {
            seq: Math.max(1, state.last_seq - (BACK[round % BACK.length] ?? 0) - 16),
            next_by_subj: subjectOf(partition),
          });
          // Without its id, so that the server does not know it for a repeat.
          old?.header.delete('Nats-Msg-Id');
          old?.header.delete('Nats-Expected-Last-Subject-Sequence');
          if (old !== null) await manager.jetstream().publish(old.subject, old.data, { headers: old.header });
        }
      }
    });
    await load.more(500);
  },
};
