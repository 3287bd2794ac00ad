/** A connection to Redis, with as much of its protocol (RESP2) as the bench uses: commands of words, answered in their order. */
import { createConnection, type Socket } from 'node:net';

export type RedisReply = string | null | readonly RedisReply[];

interface Waiting {
  readonly resolve: (reply: RedisReply) => void;
  readonly reject: (error: Error) => void;
}

class RedisError extends Error {}

export class RedisConnection {
  private readonly waiting: Waiting[] = [];
  private received = '';
  private outgoing = '';
  private broken: Error | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.take(text));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the connection to Redis was closed')));
  }

  /** @param url redis://[USER:PASSWORD@]HOST:PORT */
  static async connect(url: string): Promise<RedisConnection> {
    const { hostname, port, username, password } = new URL(url);
    const socket = createConnection(Number(port === '' ? 6379 : port), hostname);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const connection = new RedisConnection(socket);
    if (password !== '') await connection.ask('AUTH', ...(username === '' ? [] : [decodeURIComponent(username)]), decodeURIComponent(password));
    return connection;
  }

  /** Commands that are asked in one round of the event loop leave together. Rejects where Redis answers with an error. */
  ask(...words: readonly string[]): Promise<RedisReply> {
    if (this.broken !== undefined) return Promise.reject(this.broken);
    if (this.outgoing === '') setImmediate(() => this.flush());
    this.outgoing += `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  close(): void {
    this.socket.end();
  }

  private flush(): void {
    const text = this.outgoing;
    this.outgoing = '';
    this.socket.write(text, 'utf8');
  }

  private take(text: string): void {
    this.received += text;
    let at = 0;
    for (let parsed = parseReply(this.received, at); parsed !== undefined; parsed = parseReply(this.received, at)) {
      at = parsed.next;
      const waiting = this.waiting.shift();
      if (parsed.reply instanceof RedisError) waiting?.reject(parsed.reply);
      else waiting?.resolve(parsed.reply);
    }
    this.received = this.received.slice(at);
  }

  private fail(error: Error): void {
    this.broken ??= error;
    for (const { reject } of this.waiting.splice(0)) reject(error);
  }
}

interface Parsed<Reply> {
  readonly reply: Reply;
  /** Where the next one begins. */
  readonly next: number;
}

/** Undefined: it has not come whole. */
function parseReply(text: string, at: number): Parsed<RedisReply | RedisError> | undefined {
  const end = text.indexOf('\r\n', at);
  if (end < 0) return undefined;
  const line = text.slice(at + 1, end);
  const next = end + 2;
  switch (text[at]) {
    case '+':
    case ':':
      return { reply: line, next };
    case '-':
      return { reply: new RedisError(line), next };
    case '$':
      return parseBulk(text, Number(line), next);
    case '*':
      return parseArray(text, Number(line), next);
    default:
      throw new Error(`Redis answered with ${JSON.stringify(text.slice(at, end))}`);
  }
}

function parseBulk(text: string, length: number, start: number): Parsed<string | null> | undefined {
  if (length < 0) return { reply: null, next: start };
  const next = start + length + 2;
  return text.length < next ? undefined : { reply: text.slice(start, start + length), next };
}

function parseArray(text: string, length: number, start: number): Parsed<RedisReply | RedisError> | undefined {
  const replies: RedisReply[] = [];
  let next = start;
  for (let item = 0; item < length; item += 1) {
    const parsed = parseReply(text, next);
    if (parsed === undefined || parsed.reply instanceof RedisError) return parsed;
    replies.push(parsed.reply);
    ({ next } = parsed);
  }
  return { reply: replies, next };
}
