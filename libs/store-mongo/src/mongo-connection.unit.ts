import { MongoConnection, MongoUnavailableError, offersLinearizableReads, withoutCredentials } from './mongo-connection';

test.each`
  url                                                        | shown
  ${'mongodb://127.0.0.1:27017/sluice'}                      | ${'mongodb://127.0.0.1:27017/sluice'}
  ${'mongodb://user:secret@one:1,two:2/sluice?replicaSet=r'} | ${'mongodb://one:1,two:2/sluice'}
  ${'mongodb+srv://user:p%40ss@cluster.example/?tls=true'}   | ${'mongodb+srv://cluster.example/'}
`('people see $shown', ({ url, shown }) => {
  expect(withoutCredentials(url)).toBe(shown);
});

test('a connection string that cannot be read is refused at once, without its password', async () => {
  const url = 'mongodb://user:hunter2@127.0.0.1:1/sluice?unknownOption=1&tls=perhaps';
  const error = await MongoConnection.open({ url, wait: { onWaiting: () => undefined } }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(MongoUnavailableError);
  expect(String(error)).not.toContain('hunter2');
});

test('who waits for a server that is not there is told why, again and again, until told to stop', async () => {
  const stop = new AbortController();
  const lines: string[] = [];
  const onWaiting = (line: string): void => {
    if (lines.push(line) === 2) stop.abort();
  };
  const url = 'mongodb://user:hunter2@127.0.0.1:1/sluice?serverSelectionTimeoutMS=50';
  await expect(MongoConnection.open({ url, wait: { onWaiting, signal: stop.signal } })).rejects.toThrow('MongoDB at mongodb://127.0.0.1:1/sluice');
  expect(lines).toHaveLength(2);
  expect(lines.join()).not.toContain('hunter2');
});

test.each`
  server                         | hello                                  | linearizable
  ${'a member of a replica set'} | ${{ ismaster: true, setName: 'rs' }}   | ${true}
  ${'a router before several'}   | ${{ ismaster: true, msg: 'isdbgrid' }} | ${true}
  ${'a standalone server'}       | ${{ ismaster: true }}                  | ${false}
`('$server offers linearizable reads: $linearizable', ({ hello, linearizable }: { hello: Record<string, unknown>; linearizable: boolean }) => {
  expect(offersLinearizableReads(hello)).toBe(linearizable);
});
