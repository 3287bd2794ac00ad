/** A command line of the image, run as a process of this machine: with the program, the folder and the variables of the container. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ImageRoot } from './image-root';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class RunningContainer {
  readonly lines: string[] = [];
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;
  private readonly waiting = new Set<() => void>();
  private over = false;

  constructor(
    private readonly root: ImageRoot,
    readonly argv: readonly string[],
    readonly environment: Readonly<Record<string, string>>,
  ) {
    const [program = '', ...rest] = argv;
    this.child = spawn(program, rest, { cwd: root.workingDirectory, env: this.variables, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const output of [this.child.stdout, this.child.stderr]) if (output !== null) createInterface({ input: output }).on('line', (line) => this.said(line));
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code, signal) => {
        this.over = true;
        for (const wake of this.waiting) wake();
        resolve({ code, signal });
      });
    });
  }

  /** Resolves when it has said the text; rejects with what it said when it ends before. */
  async untilItSays(text: string): Promise<void> {
    while (!this.lines.some((line) => line.includes(text))) {
      if (this.over) throw new Error(`${this.argv.join(' ')} ended without saying ${text}:\n${this.lines.join('\n')}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.waiting.delete(wake);
          resolve();
        };
        this.waiting.add(wake);
      });
    }
  }

  /** As a runtime stops a container. */
  stop(): Promise<Ended> {
    if (!this.over) this.child.kill('SIGTERM');
    return this.ended;
  }

  async remove(): Promise<void> {
    if (!this.over) this.child.kill('SIGKILL');
    await this.ended.catch(() => undefined);
  }

  /** Runs another command line in the container, as probes do: with its variables, from the root folder. */
  execute(argv: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<{ code: number; output: string }> {
    const [program = '', ...rest] = argv;
    return new Promise((resolve) => {
      execFile(program, rest, { cwd: this.root.path('/'), env: { ...this.variables, ...variables } }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, output: stdout + stderr });
      });
    });
  }

  private get variables(): Record<string, string> {
    return { PATH: this.root.searchPath, HOME: '/nonexistent', TMPDIR: this.root.path('/tmp'), ...this.environment };
  }

  private said(line: string): void {
    this.lines.push(line);
    for (const wake of this.waiting) wake();
  }
}
