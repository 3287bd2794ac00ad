/** Accounts, as the command service plugs them in. */
import { accountpb } from '@sluice/protocol/account';
import type { CommandCapability, CommandContext } from '../command-capability';
import { accountCapability } from './account-capability';
import { AccountForwarding } from './account-forwarding';
import { AccountService } from './account-service';
import { Signatures } from './signatures';

export const commandCapability: CommandCapability = {
  name: 'account',
  definitions: [accountpb.AccountCommandServiceService],
  create({ keyring, pool, poolThreads, missingKeys, trouble }) {
    const signatures = new Signatures(keyring, pool, poolThreads, missingKeys);
    const serviceIn = ({ hop, ...context }: CommandContext): AccountService =>
      new AccountService({ ...context, ...(hop === undefined ? undefined : { forwarding: new AccountForwarding(hop) }) });
    return {
      capability: accountCapability(signatures, trouble),
      services: (context) => [serviceIn(context).registration()],
      transferMoney: (context) => {
        const service = serviceIn(context);
        return (orders, call) => service.transferElsewhere(orders, call);
      },
      stop: () => signatures.close(),
    };
  },
};
