/** Counts what the engine decides: one addition a turn, read by whoever shows figures. */
import { type EngineObserver, SILENT_OBSERVER } from '@sluice/engine';

export class PostingMeter {
  #commands = 0;
  #commits = 0;

  /** The engine's observer that counts here; what goes wrong goes to `trouble`. */
  observer(trouble: EngineObserver['trouble']): EngineObserver {
    return {
      ...SILENT_OBSERVER,
      turnDecided: (_partition, commands) => {
        this.#commands += commands;
      },
      committed: () => {
        this.#commits += 1;
      },
      trouble,
    };
  }

  /** Commands decided since the start. */
  get commands(): number {
    return this.#commands;
  }

  /** Commits written since the start. */
  get commits(): number {
    return this.#commits;
  }
}
