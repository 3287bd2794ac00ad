/** What the processes of a deployment say, kept for the message of a failure. */
const KEPT_LINES = 20_000;

interface LogLine {
  readonly time?: string;
  readonly level?: string;
  readonly partition?: number;
  readonly message?: string;
  readonly error?: { readonly message?: string };
}

export class ProcessLines {
  private readonly lines: { readonly process: string; readonly line: string }[] = [];

  add(process: string, line: string): void {
    this.lines.push({ process, line });
    if (this.lines.length > 2 * KEPT_LINES) this.lines.splice(0, this.lines.length - KEPT_LINES);
  }

  /** Lines of one process, as it wrote them. */
  of(process: string): readonly string[] {
    return this.lines.filter((said) => said.process === process).map(({ line }) => line);
  }

  /** The newest lines, without stacks; what a process repeats stands once. */
  last(count: number): string[] {
    const said = new Map<string, string>();
    const short: string[] = [];
    for (const { process, line } of this.lines) {
      const { time, partition, message, error } = parsed(line);
      const text = `${process} ${partition === undefined ? '' : `partition ${partition}: `}${message} ${error?.message ?? ''}`;
      if (said.get(process) === text) continue;
      said.set(process, text);
      short.push(`${time?.slice(11, 23)} ${text}`);
    }
    return short.slice(-count);
  }
}

function parsed(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { message: line };
  }
}
