/** A connection between two hosts, as the pings of its two ends know it. */
import { CallFailed } from './call-failed';
import type { Life } from './life';
import type { World } from './world';

/** How often a connection that is in use looks whether the other host is heard of. */
const LOOK_US = 500_000;
/** A host that is not heard of for so long has lost its connections. */
const SILENCE_US = 3_000_000;

export class Link {
  /** The host at the other end, once it was reached. */
  to: Life | undefined;
  /** Something that was sent is lost. */
  broken = false;

  constructor(
    private readonly world: World,
    private readonly from: Life,
  ) {}

  /** Tells once that the connection is lost, unless it is over before. */
  watch(isOver: () => boolean, lost: (error: CallFailed) => void): void {
    this.#look(
      isOver,
      () => !this.from.alive,
      () => this.to?.alive === false,
      () => this.from.cut || this.to?.cut === true || this.to?.paused === true,
      () => lost(new CallFailed('UNAVAILABLE', '', 'the connection is lost')),
    );
  }

  /** The same for the other end: tells once that the caller's host is not heard of any more. */
  watchCaller(isOver: () => boolean, lost: () => void): void {
    this.#look(
      isOver,
      () => this.to?.alive === false,
      () => !this.from.alive,
      () => this.from.cut || this.from.paused || this.to?.cut === true,
      lost,
    );
  }

  #look(isOver: () => boolean, isEnded: () => boolean, isDead: () => boolean, isSilent: () => boolean, lost: () => void): void {
    const { timeline } = this.world;
    let silentSinceUs: number | undefined;
    const look = (): void => {
      if (isOver() || isEnded()) return;
      silentSinceUs = this.broken || isSilent() ? (silentSinceUs ?? timeline.nowUs) : undefined;
      if (isDead() || (silentSinceUs !== undefined && timeline.nowUs - silentSinceUs >= SILENCE_US)) lost();
      else timeline.schedule(LOOK_US, look);
    };
    timeline.schedule(LOOK_US, look);
  }
}
