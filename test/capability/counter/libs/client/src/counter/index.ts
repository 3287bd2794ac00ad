/** Counters, as the client plugs them in. */
import { counterpb } from '@sluice/protocol/counter';
import type { ClientCapability } from '../client-capability';
import { CountersClient } from './counters-client';

export const clientCapability: ClientCapability<{ readonly counters: CountersClient }> = {
  name: 'counter',
  clients: ({ caller, positions, reads, command, query }) => ({
    counters: new CountersClient({
      caller,
      commands: command(counterpb.CounterCommandServiceClient),
      queries: query(counterpb.CounterQueryServiceClient),
      positions,
      reads,
    }),
  }),
};
