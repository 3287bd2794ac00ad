import { commandClient, credit, openSideAccount } from './harness/side-account';
import { testFault } from './harness/under-load';

const ACCOUNT = '{l}-stream';
const PARTITION = 0;

testFault('SIGTERM to an owner with a call in flight that does not end: its partitions are handed over meanwhile', {}, async ({ load, ownerOf }) => {
  const owner = await ownerOf(PARTITION);
  const client = commandClient(owner.address);
  try {
    await openSideAccount(client, ACCOUNT);
    const stream = client.postStream();
    const ended = new Promise((resolve) => stream.once('error', resolve).once('end', resolve));
    const answered = new Promise((resolve) => stream.once('data', resolve));
    stream.write({ posting: credit(ACCOUNT, 'in-flight') });
    await answered;
    await Promise.all([owner.stop(), load.moreEverywhere(60)]);
    await ended;
  } finally {
    client.close();
  }
  await owner.start();
  await owner.untilServing();
});
