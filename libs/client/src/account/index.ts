/** Accounts, as the client plugs them in. */
import { accountpb } from '@sluice/protocol/account';
import type { ClientCapability } from '../client-capability';
import { AccountsClient } from './accounts-client';

export const clientCapability: ClientCapability<{ readonly accounts: AccountsClient }> = {
  name: 'account',
  clients: ({ caller, positions, reads, batching, command, query }) => ({
    accounts: new AccountsClient({
      caller,
      commands: command(accountpb.AccountCommandServiceClient),
      queries: query(accountpb.AccountQueryServiceClient),
      positions,
      reads,
      batching,
    }),
  }),
};
