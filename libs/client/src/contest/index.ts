/** Contests, as the client plugs them in. */
import { contestpb } from '@sluice/protocol/contest';
import type { ClientCapability } from '../client-capability';
import { ContestsClient } from './contests-client';

export const clientCapability: ClientCapability<{ readonly contests: ContestsClient }> = {
  name: 'contest',
  clients: ({ caller, positions, reads, batching, command, query }) => ({
    contests: new ContestsClient({
      caller,
      commands: command(contestpb.ContestCommandServiceClient),
      queries: query(contestpb.ContestQueryServiceClient),
      positions,
      reads,
      batching,
    }),
  }),
};
