/** A capability that does nothing but set timers: which of them rang, and when, is in the log. */
import type { Capability, CapabilityState, DueCommand, Engine, InternalCommand, InternalVerdict, Turn } from '@sluice/engine';
import type { EventRecord } from '@sluice/protocol';

export class AlarmState implements CapabilityState {
  readonly rung: string[] = [];
  /** Whether the version that runs knows what alarms ask for. */
  knows = true;

  decideInternal(turn: Turn, commands: readonly InternalCommand[]): InternalVerdict[] {
    if (!this.knows) return [{ kind: 'undecidable', reason: 'METHOD_UNKNOWN' }];
    return commands.map(({ id }) => {
      turn.event('alarm.Rung', 1, Buffer.from(id));
      this.rung.push(id);
      return { kind: 'accepted', payload: new Uint8Array(0) };
    });
  }

  replay(event: EventRecord): undefined {
    this.rung.push(Buffer.from(event.payload).toString());
  }

  flush(): void {}

  beginSnapshot(): ReturnType<CapabilityState['beginSnapshot']> {
    let taken = false;
    return {
      next: () => {
        if (taken) return undefined;
        taken = true;
        return Buffer.from(JSON.stringify(this.rung));
      },
      end: () => undefined,
    };
  }

  restore(block: Uint8Array): void {
    this.rung.push(...(JSON.parse(Buffer.from(block).toString()) as string[]));
  }
}

export const alarms: Capability = { name: 'alarm', createState: () => new AlarmState() };

/** Resolves when the timers are set, durably. */
export function setAlarms(engine: Engine, partition: number, timers: readonly Pick<DueCommand, 'key' | 'timerId' | 'dueAtUs'>[]): Promise<void> {
  const owned = engine.partition(partition);
  if (owned === undefined) throw new Error(`partition ${partition} is not owned`);
  return new Promise((resolve, reject) => {
    owned.submit({
      commandCount: timers.length,
      sizeBytes: 1,
      recordBytes: 1,
      decide: (turn) => {
        for (const timer of timers) turn.setTimer({ ...timer, capability: 'alarm', method: 'Ring', payload: new Uint8Array(0) });
      },
      settle: () => resolve(),
      fail: (failure) => reject(new Error(failure)),
    });
  });
}
