/** Closing balances as lines of text, in pieces of whole lines. */
import type { AccountClosing } from '@sluice/projections';
import { businessdaypb } from '@sluice/protocol/businessday';

/** A piece of an export has at most so many bytes. */
export const MAXIMUM_PIECE_BYTES = 64 * 1024;

export interface LineFormat {
  /** Empty: none. */
  readonly head: string;
  readonly line: (closing: AccountClosing) => string;
}

const CSV: LineFormat = {
  head: 'account_id,product,unit,closing_minor\r\n',
  line: ({ accountId, product, unit, balanceMinor }) => `${[accountId, product, unit, String(balanceMinor)].map(csvField).join(',')}\r\n`,
};

const JSON_LINES: LineFormat = {
  head: '',
  line: ({ accountId, product, unit, balanceMinor }) => `${JSON.stringify({ account_id: accountId, product, unit, closing_minor: String(balanceMinor) })}\n`,
};

/** Undefined: not a format. */
export function lineFormatOf(format: businessdaypb.ExportFormat): LineFormat | undefined {
  switch (format) {
    case businessdaypb.ExportFormat.EXPORT_FORMAT_UNSPECIFIED:
    case businessdaypb.ExportFormat.EXPORT_FORMAT_CSV:
      return CSV;
    case businessdaypb.ExportFormat.EXPORT_FORMAT_JSON_LINES:
      return JSON_LINES;
    default:
      return undefined;
  }
}

/** RFC 4180: what has a comma, a quote or a line break is quoted, and quotes in it are doubled. */
function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Gathers lines into pieces. A line is far shorter than a piece. */
export class LinePieces {
  private lines: string[] = [];
  private bytes = 0;

  /** The piece that is full, if the line does not fit into it any more. */
  add(line: string): Buffer | undefined {
    const length = Buffer.byteLength(line, 'utf8');
    const full = this.bytes + length > MAXIMUM_PIECE_BYTES ? this.rest() : undefined;
    this.lines.push(line);
    this.bytes += length;
    return full;
  }

  /** What has not been given out; undefined: nothing. */
  rest(): Buffer | undefined {
    if (this.bytes === 0) return undefined;
    const piece = Buffer.from(this.lines.join(''), 'utf8');
    this.lines = [];
    this.bytes = 0;
    return piece;
  }
}
