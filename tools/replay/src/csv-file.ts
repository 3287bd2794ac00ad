/**
 * Reads a CSV file as a stream of rows, plain or gzipped (told by its first bytes, not by its name), so that the size of the file does
 * not matter. Throws MalformedFileError with the line at which the file is not what it should be.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CsvError, parse } from 'csv-parse';
import { MalformedFileError } from './malformed-file-error';

const GZIP_MAGIC = [0x1f, 0x8b];

/** csv-parse's record with `info: true`. */
interface NumberedRecord {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

export interface CsvRows<Row> {
  /** Columns that must be there; others are passed over. */
  readonly columns: readonly string[];
  /** "transactions", for the error of a file without any. */
  readonly plural: string;
  readonly rowOf: (file: string, line: number, record: Readonly<Record<string, string>>) => Row;
}

export async function* readCsvFile<Row>(file: string, { columns, plural, rowOf }: CsvRows<Row>): AsyncGenerator<Row, void, undefined> {
  const decoded = (await isGzipped(file)) ? createGunzip() : new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
  let line = 1;
  const parser = parse({
    bom: true,
    info: true,
    columns: (header: string[]) => {
      const missing = columns.filter((column) => !header.includes(column));
      if (missing.length > 0) throw new MalformedFileError(file, 1, `column ${missing.join(', ')} is missing`);
      return header;
    },
  });
  // The parser hears of whatever goes wrong before it; nothing else listens.
  pipeline(createReadStream(file), decoded, parser, () => undefined);
  try {
    for await (const { record, info } of parser as AsyncIterable<NumberedRecord>) {
      line = info.lines;
      yield rowOf(file, line, record);
    }
    if (line === 1) throw new MalformedFileError(file, 1, `there are no ${plural}`);
  } catch (error) {
    throw located(error, file, line);
  } finally {
    parser.destroy();
  }
}

async function isGzipped(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(GZIP_MAGIC.length), 0, GZIP_MAGIC.length, 0);
    return bytesRead === GZIP_MAGIC.length && GZIP_MAGIC.every((byte, at) => buffer[at] === byte);
  } finally {
    await handle.close();
  }
}

/** What a decompressor or the CSV parser says, with the file and the line at which it happened. */
function located(error: unknown, file: string, lastGoodLine: number): unknown {
  if (error instanceof CsvError) {
    const line = typeof error['lines'] === 'number' ? error['lines'] : lastGoodLine + 1;
    return new MalformedFileError(file, line, error.message);
  }
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  if (code?.startsWith('Z_') === true) return new MalformedFileError(file, lastGoodLine + 1, `the compressed data is damaged (${message})`);
  return error;
}
