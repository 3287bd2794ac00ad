import type { accountpb } from '@sluice/protocol/account';
import { commandClient, credit, openSideAccount } from '../harness/side-account';
import { type Fault } from '../harness/under-load';

const POSTINGS = 20_000;
const ACCOUNT = '{l}-stream';
const PARTITION = 0;

/** Sends every posting at once; resolves with how many were accepted. */
function streamed(client: accountpb.AccountCommandServiceClient, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = client.postStream();
    let accepted = 0;
    stream.on('data', ({ result }: accountpb.PostStreamResponse) => {
      if (result?.error === undefined) accepted += 1;
    });
    stream.once('error', reject);
    stream.once('end', () => resolve(accepted));
    for (let number = 0; number < POSTINGS; number += 1) stream.write({ posting: credit(ACCOUNT, `${name}-${number}`) });
    stream.end();
  });
}

export const streamLoad: Fault = {
  name: `one PostStream with ${POSTINGS} postings, at the owner and at another instance: every owner keeps its partitions`,
  run: async ({ command, calls, projector, load, ownerOf }) => {
    const owner = await ownerOf(PARTITION);
    const other = command.find(({ name }) => name !== owner.name);
    expect(load.partitionOf(ACCOUNT)).toBe(PARTITION);
    const address = projector[0]?.address ?? '';
    const before = await calls.newestEpochs(address);
    for (const instance of [owner, other]) {
      const client = commandClient(instance?.address ?? '');
      try {
        await openSideAccount(client, ACCOUNT);
        expect(await streamed(client, instance?.name ?? '')).toBe(POSTINGS);
      } finally {
        client.close();
      }
    }
    expect(await calls.newestEpochs(address)).toEqual(before);
  },
};
