import { SluiceClient, SluiceError } from '@sluice/client';

const sluice = new SluiceClient({ target: process.env.SLUICE_TARGET ?? '127.0.0.1:7400' });
const accountId = `wallet-${Date.now()}`;
await sluice.accounts.open({ accountId, unit: 'EUR' });
// Made at the same time, these travel as one batch and become one balance update.
await Promise.all(Array.from({ length: 100 }, () => sluice.accounts.credit({ accountId, unit: 'EUR', amountMinor: 250n })));
try {
  await sluice.accounts.debit({ accountId, unit: 'EUR', amountMinor: 1_000_000n });
} catch (error) {
  console.log(error instanceof SluiceError ? `${error.reason} at ${error.verdict?.balanceMinor}` : error);
}
const account = await sluice.accounts.get(accountId); // as new as what was written above
console.log(`${account.balanceMinor} in ${account.entryCount} entries`);
sluice.close();
