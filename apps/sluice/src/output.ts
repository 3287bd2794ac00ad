/**
 * What people and machines see. People: tables and pairs on the standard output. Machines (`--json`): one JSON object per
 * line, amounts and sequences as strings because they may be larger than a JSON number holds. Progress and errors go to the
 * standard error output, so that a pipe gets the results alone.
 */
import { Presets, SingleBar } from 'cli-progress';
import Table from 'cli-table3';
import { shownText } from './shown-text';

/** Something of which the results can be written to; `process.stdout` and `process.stderr`, or what a test gives. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export interface Terminal {
  readonly results: Screen;
  readonly messages: Screen;
}

export type Cell = string | number | bigint | boolean | undefined;

export interface ProgressBar {
  total(total: number): void;
  at(done: number): void;
  end(): void;
}

const SECOND_MS = 1_000;
const MINUTE_S = 60;

const PLAIN_TABLE = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

export class Output {
  readonly #terminal: Terminal;

  constructor(
    terminal: Terminal,
    readonly json: boolean,
  ) {
    this.#terminal = terminal;
  }

  line(text: string): void {
    this.#terminal.results.write(`${shownText(text)}\n`);
  }

  message(text: string): void {
    this.#terminal.messages.write(`${shownText(text)}\n`);
  }

  /** One object per line. */
  object(value: unknown): void {
    this.line(JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item)));
  }

  /** One thing: JSON for machines, its pairs for people. */
  thing(value: unknown, pairs: readonly (readonly [string, Cell])[]): void {
    if (this.json) {
      this.object(value);
      return;
    }
    const shown = pairs.flatMap(([name, cell]) => (cell === undefined || cell === '' ? [] : [[shownText(name), cell] as const]));
    const width = Math.max(0, ...shown.map(([name]) => name.length));
    for (const [name, cell] of shown) this.line(`${name.padEnd(width)}  ${String(cell)}`);
  }

  /** Things of one kind: a JSON line each for machines, a table for people. Numbers stand to the right. */
  table<Row>(rows: readonly Row[], columns: Readonly<Record<string, (row: Row) => Cell>>): void {
    if (this.json) {
      for (const row of rows) this.object(row);
      return;
    }
    const names = Object.keys(columns);
    const isNumber = (cell: Cell): boolean => typeof cell === 'number' || typeof cell === 'bigint';
    const cells = rows.map((row) => names.map((name) => columns[name]?.(row)));
    const aligns = names.map((_, column) => (cells.some((row) => isNumber(row[column])) ? ('right' as const) : ('left' as const)));
    const table = new Table({ head: names, colAligns: aligns, chars: PLAIN_TABLE, style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 } });
    for (const row of cells) table.push(row.map((cell) => (cell === undefined ? '' : shownText(String(cell)))));
    for (const line of table.toString().split('\n')) this.line(line.trimEnd());
  }

  /** A bar where somebody can see it move; nothing elsewhere. */
  progress(name: string, total: number): ProgressBar {
    const { messages } = this.#terminal;
    if (this.json || messages.isTTY !== true) return { total: () => undefined, at: () => undefined, end: () => undefined };
    const bar = new SingleBar(
      {
        format: `${name} {bar} {percentage}% {value}/{total} {eta_formatted}`,
        stream: messages as NodeJS.WritableStream,
        hideCursor: true,
        clearOnComplete: true,
      },
      Presets.shades_classic,
    );
    bar.start(total, 0);
    return { total: (value) => bar.setTotal(value), at: (done) => bar.update(done), end: () => bar.stop() };
  }
}

/** A time as people read it; '' for none. */
export function clockText(time: Date | undefined): string {
  return time?.toISOString() ?? '';
}

/** A whole number as people read it. */
export function countText(number: number): string {
  return number.toLocaleString('en-US');
}

/** A part of 1, as a bar of so many cells. */
export function barText(part: number, cells: number): string {
  const full = Math.round(Math.max(0, Math.min(1, part)) * cells);
  return '█'.repeat(full) + '░'.repeat(cells - full);
}

/** What is left of a time, in minutes and seconds, rounded up. */
export function leftText(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / SECOND_MS));
  return `${Math.floor(seconds / MINUTE_S)}:${String(seconds % MINUTE_S).padStart(2, '0')}`;
}

/** A time as people read it, with the microseconds; '' for none. */
export function timeText(microseconds: number): string {
  if (microseconds === 0) return '';
  const iso = new Date(Math.floor(microseconds / 1_000)).toISOString();
  return `${iso.slice(0, -1)}${String(microseconds % 1_000).padStart(3, '0')}Z`;
}

/** Says of a command's answer that it is a repeat. */
export function againText({ repeated }: { readonly repeated: boolean }): readonly [string, Cell] {
  return ['repeated', repeated ? 'yes, answered before' : undefined];
}
