import { credentials } from '@grpc/grpc-js';
import { QUICK_RECONNECT, until } from '@sluice/judged-load';
import { accountpb } from '@sluice/protocol/account';
import { type Fault } from '../harness/under-load';

export const queryKilled: Fault = {
  name: 'kill -9 of a query instance under watches: who watched goes on at the other and misses nothing',
  run: async ({ load, query, calls }) => {
    const [victim, other] = query;
    const [account] = load.acknowledged.keys();
    await until('the account can be read', () =>
      calls.account(victim?.address ?? '', account ?? '').then(
        () => true,
        () => false,
      ),
    );
    const seen: bigint[] = [];
    const watch = (address: string) => {
      const client = new accountpb.AccountQueryServiceClient(address, credentials.createInsecure(), QUICK_RECONNECT);
      const stream = client.watchAccount({ accountId: account ?? '', positionToken: '', positionTokens: [] });
      const ended = new Promise<void>((resolve) => stream.once('error', () => resolve()));
      stream.on('data', ({ account: now }: accountpb.WatchAccountResponse) => seen.push(now?.entryCount ?? 0n));
      return { ended, stop: () => client.close() };
    };
    const first = watch(victim?.address ?? '');
    await until('the watch has answered', () => seen.length > 0);
    await victim?.kill();
    await first.ended;
    first.stop();
    const before = seen.at(-1) ?? 0n;
    const second = watch(other?.address ?? '');
    await until('the watch goes on', () => (seen.at(-1) ?? 0n) > before);
    second.stop();
    expect([...seen].sort((left, right) => Number(left - right))).toEqual(seen);
    await victim?.start();
    await victim?.untilServing();
  },
};
