import { NO_DEADLINE, until } from '@sluice/judged-load';
import { TcpLink } from '@sluice/testing';
import { commandClient, credit, openSideAccount, postReasons } from './harness/side-account';
import { PARTITIONS, testFault } from './harness/under-load';

/** One in each partition. */
const ACCOUNTS = ['{l}-side', '{b}-side', '{a}-side', '{d}-side'];
const STOPPED = 'command-1';
const TAKER = 'command-2';

/** The way of the stopped instance to the taker. */
let link: TcpLink;
let takerPort = (): number => 0;
beforeAll(async () => {
  link = await TcpLink.open(() => takerPort());
});
afterAll(() => link.close());

testFault(
  'SIGTERM to an owner with a call in flight: its partitions are handed over before the call ends',
  {
    environmentOf: (name, { port }): Record<string, string> => {
      if (name !== TAKER) return {};
      takerPort = port;
      return { SLUICE_ADVERTISED_ADDRESS: link.address };
    },
    // Nothing else is sent on by the stopped instance, so that no other call waits for the taker.
    calledInstances: (command) => command.filter(({ name }) => name === TAKER),
  },
  async ({ load, command, holderOf }) => {
    const ownersOf = (): Promise<(string | undefined)[]> => Promise.all(Array.from({ length: PARTITIONS }, (_, at) => holderOf(`command/${at}`)));
    const owners = await ownersOf();
    const stopped = command.find(({ name }) => name === STOPPED);
    if (stopped === undefined) throw new Error(`${STOPPED} is not there`);
    const [own = '', other = ''] = [STOPPED, TAKER].map((name) => ACCOUNTS.find((id) => owners[load.partitionOf(id)] === name));
    const client = commandClient(stopped.address);
    let inFlight = true;
    try {
      for (const id of [own, other]) await openSideAccount(client, id);
      // The call waits at the instance that stops until it gives up the connection to the taker.
      link.silence();
      const answer = postReasons(client, [credit(other, 'in-flight')], { limitMs: NO_DEADLINE }).finally(() => {
        inFlight = false;
      });
      // On the same connection: when it is answered, the call before it has arrived.
      expect(await postReasons(client, [credit(own, 'after-it')])).toEqual([undefined]);
      const stopping = stopped.stop();
      await until('a partition has gone to the taker', async () => (await ownersOf()).some((owner, at) => owner === TAKER && owners[at] === STOPPED));
      expect(inFlight).toBe(true);
      await Promise.all([answer, stopping]);
      await load.moreEverywhere(60);
    } finally {
      link.speak();
      client.close();
    }
    await stopped.start();
    await stopped.untilServing();
  },
);
