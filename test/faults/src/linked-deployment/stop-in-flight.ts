import { NO_DEADLINE, until } from '@sluice/judged-load';
import { LinkedDeployment } from '../harness/linked-deployment';
import { commandClient, credit, openSideAccount, postReasons } from '../harness/side-account';
import type { Fault } from '../harness/under-load';

/** One in each partition. */
const ACCOUNTS = ['{l}-side', '{b}-side', '{a}-side', '{d}-side'];
const STOPPED = 'command-1';
const TAKER = LinkedDeployment.LINKED_PEER;

export const stopInFlight = (links: LinkedDeployment): Fault => ({
  name: 'SIGTERM to an owner with a call in flight: its partitions are handed over before the call ends',
  options: {
    // Nothing else is sent on by the stopped instance, so that no other call waits for the taker.
    calledInstances: (command) => command.filter(({ name }) => name === TAKER),
  },
  run: async ({ load, command, owners: ownersNow }) => {
    const owners = await ownersNow();
    const stopped = command.find(({ name }) => name === STOPPED);
    if (stopped === undefined) throw new Error(`${STOPPED} is not there`);
    const [own = '', other = ''] = [STOPPED, TAKER].map((name) => ACCOUNTS.find((id) => owners[load.partitionOf(id)] === name));
    const client = commandClient(stopped.address);
    let inFlight = true;
    try {
      for (const id of [own, other]) await openSideAccount(client, id);
      // The call waits at the instance that stops until it gives up the connection to the taker.
      links.peerLink.silence();
      const answer = postReasons(client, [credit(other, 'in-flight')], { limitMs: NO_DEADLINE }).finally(() => {
        inFlight = false;
      });
      // On the same connection: when it is answered, the call before it has arrived.
      expect(await postReasons(client, [credit(own, 'after-it')])).toEqual([undefined]);
      const stopping = stopped.stop();
      await until('a partition has gone to the taker', async () => (await ownersNow()).some((owner, at) => owner === TAKER && owners[at] === STOPPED));
      expect(inFlight).toBe(true);
      await Promise.all([answer, stopping]);
      await load.moreEverywhere(60);
    } finally {
      links.peerLink.speak();
      client.close();
    }
    await stopped.start();
    await stopped.untilServing();
  },
});
