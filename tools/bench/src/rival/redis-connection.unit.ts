import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { RedisConnection } from './redis-connection';

let server: Server;
let peer: Promise<Socket>;
let connection: RedisConnection;

beforeEach(async () => {
  server = createServer();
  peer = new Promise((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  connection = await RedisConnection.connect(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  connection.close();
  (await peer).destroy();
  await new Promise((resolve) => server.close(resolve));
});

const received = async (): Promise<string> => {
  const socket = await peer;
  return new Promise((resolve) => socket.once('data', (bytes) => resolve(bytes.toString('utf8'))));
};

test('commands leave together, and answers come in their order, whatever pieces they come in', async () => {
  const answers = Promise.all([
    connection.ask('ZINCRBY', 'k', '1', 'ä'),
    connection.ask('CONFIG', 'GET', 'x'),
    connection.ask('GET', 'y'),
    connection.ask('DEL', 'k'),
  ]);
  expect(await received()).toBe(
    '*4\r\n$7\r\nZINCRBY\r\n$1\r\nk\r\n$1\r\n1\r\n$2\r\nä\r\n*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$1\r\nx\r\n*2\r\n$3\r\nGET\r\n$1\r\ny\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n',
  );
  const socket = await peer;
  for (const piece of ['$2\r\n4', '2\r\n*2\r\n$1\r\nx\r', '\n$3\r\nyes\r\n$-1\r\n:', '1\r\n']) {
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await answers).toEqual(['42', ['x', 'yes'], null, '1']);
});

test('an error rejects its command only; the end of the connection rejects those that wait', async () => {
  const refused = connection.ask('CONFIG', 'SET', 'a', 'b');
  const done = connection.ask('DEL', 'k');
  const waiting = connection.ask('DEL', 'l');
  await received();
  (await peer).write('-ERR no such setting\r\n+OK\r\n');
  await expect(refused).rejects.toThrow('ERR no such setting');
  expect(await done).toBe('OK');
  (await peer).destroy();
  await expect(waiting).rejects.toThrow('closed');
});
