/** Counts what the engine decides: one addition a turn, read by whoever shows figures. */
import type { EngineObserver } from '@sluice/engine';

export class PostingMeter {
  #commands = 0;

  /** An observer that counts here and passes everything on. */
  over(observer: EngineObserver): EngineObserver {
    return {
      ...observer,
      turnDecided: (partition, commands) => {
        this.#commands += commands;
        observer.turnDecided(partition, commands);
      },
    };
  }

  /** Commands decided since the start. */
  get commands(): number {
    return this.#commands;
  }
}
