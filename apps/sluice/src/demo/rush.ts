/**
 * `sluice demo rush`: many people want few seats, all at the same moment. Half of them would wait. Some who got a seat give it back. In the end
 * everybody has an answer, and the log is read: never was a seat more taken than there are, and what came free went to the first that waited.
 */
import { randomUUID } from 'node:crypto';
import { type EventView, type Reserved, type ReserveInput, type Resource, SluiceClient } from '@sluice/client';
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import type { ConnectionOptions, Surroundings } from '../connection';
import { EXIT, type ExitCode, UsageError } from '../exit-code';
import { countText, type Output } from '../output';
import { lookUntil } from './look-until';
import { type SeatsInLog, seatsInLog } from './seats-in-log';
import { withServer } from './with-server';

interface RushOptions extends ConnectionOptions {
  readonly people: number;
  readonly seats: number;
  readonly leave: number;
}

const DEFAULT_PEOPLE = 10_000;
const DEFAULT_SEATS = 100;
const DEFAULT_LEAVE = 20;
/** As many as a waiting list holds, if everybody would wait. */
const MAXIMUM_PEOPLE = 20_000;
const LINE_MS = 250;
const LIMIT_MS = 60_000;
const CALL = { deadlineMs: 60_000 };

export function addRushCommand(demo: Command, surroundings: Surroundings): void {
  demo
    .command('rush')
    .description('many people want few seats at the same moment: a hot resource, its waiting list, and who gets what comes free')
    .option('--people <people>', `so many, at most ${countText(MAXIMUM_PEOPLE)}`, wholeNumber, DEFAULT_PEOPLE)
    .option('--seats <seats>', 'so many', wholeNumber, DEFAULT_SEATS)
    .option('--leave <people>', 'so many give their seat back', wholeNumber, DEFAULT_LEAVE)
    .addHelpText('after', '\nWith a server that runs already, or with one of its own.\n\nExample:\n  sluice demo rush --people 5000 --seats 10')
    .action((_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<RushOptions>();
      if (options.people > MAXIMUM_PEOPLE) throw new UsageError(`--people is ${MAXIMUM_PEOPLE} at most`);
      return withServer(options, surroundings, async (target, _same, output) => {
        const client = new SluiceClient({ target });
        try {
          return await new Rush(client, options, output).run();
        } finally {
          client.close();
        }
      });
    });
}

/** How the people stand. */
type Standing = 'reserved' | 'waiting' | 'refused' | 'cancelled' | 'unknown';
type Standings = Record<Standing, number>;

class Rush {
  private readonly resourceId = `rush-${randomUUID().slice(0, 8)}`;
  private readonly requests: readonly ReserveInput[];
  private readonly standings = new Map<string, Standing>();
  private shown = 0;

  constructor(
    private readonly client: SluiceClient,
    private readonly options: RushOptions,
    private readonly output: Output,
  ) {
    this.requests = Array.from({ length: options.people }, (_, at) => ({
      requestId: 'reserve',
      identityId: `${this.resourceId}/person-${at + 1}`,
      number: `${this.resourceId}/ticket-${at + 1}`,
      resourceId: this.resourceId,
      waitForPlace: at % 2 === 0,
    }));
  }

  async run(): Promise<ExitCode> {
    const { client, resourceId, options, output } = this;
    const { people, seats } = options;
    const { partition, headSequence } = await client.log.getPartition(resourceId);
    await client.reservations.setCapacity(resourceId, seats, 'make', CALL);
    output.message(`${countText(people)} people want ${countText(seats)} seats of ${resourceId} now; every second one would wait`);
    const beganMs = performance.now();
    await this.rush();
    output.message(`everybody has an answer after ${((performance.now() - beganMs) / 1_000).toFixed(1)} s`);
    const first = this.counted();
    const left = await this.leave();
    const toGrant = Math.min(left, first.waiting);
    const log = await this.logUntil(partition, headSequence + 1n, (seen) => seen.returned >= left && seen.granted.length >= toGrant);
    await this.settle(log);
    return this.prove(first, left, log, await this.readUntil(log));
  }

  /** Everybody asks at once. */
  private async rush(): Promise<void> {
    const showing = setInterval(() => this.show(), LINE_MS);
    try {
      await Promise.all(this.requests.map((request) => this.ask(request)));
      this.show();
    } finally {
      clearInterval(showing);
    }
  }

  /** Asks until it is known where the reservation stands. */
  private async ask(request: ReserveInput): Promise<void> {
    for (const untilMs = Date.now() + LIMIT_MS; ; ) {
      const standing = standingOf(await this.client.reservations.reserve(request, CALL));
      this.standings.set(request.number, standing);
      if (standing !== 'unknown' || Date.now() > untilMs) return;
    }
  }

  private show(): void {
    const { reserved, waiting, refused } = this.counted();
    const answered = reserved + waiting + refused;
    if (answered === this.shown) return;
    this.shown = answered;
    this.output.message(
      `${countText(answered).padStart(8)} answered  ${countText(reserved).padStart(6)} reserved  ${countText(waiting).padStart(6)} wait  ${countText(refused).padStart(6)} refused`,
    );
  }

  /** Some of those who have a seat give it back. @returns how many. */
  private async leave(): Promise<number> {
    const leaving = [...this.standings].filter(([, standing]) => standing === 'reserved').slice(0, this.options.leave);
    await Promise.all(leaving.map(([number]) => this.client.reservations.cancel(number, { requestId: 'cancel' }, CALL)));
    this.output.message(`${countText(leaving.length)} gave their seat back`);
    return leaving.length;
  }

  private logUntil(partition: number, fromSequence: bigint, is: (seen: SeatsInLog) => boolean): Promise<SeatsInLog> {
    return lookUntil(async () => {
      const events: EventView[] = [];
      for await (const commit of this.client.log.readCommits(partition, { fromSequence, ...CALL })) events.push(...commit.events);
      return seatsInLog(events, this.resourceId);
    }, is);
  }

  /** Resolves with what the read store shows, when that is what the log says. */
  private readUntil(log: SeatsInLog): Promise<Resource> {
    return lookUntil(
      () => this.client.reservations.capacity(this.resourceId, CALL),
      (shown) => isShown(log, shown),
    );
  }

  /** Asks everybody once more; those who got a seat by the log until they know it. */
  private async settle({ granted }: SeatsInLog): Promise<void> {
    const known = new Set(granted);
    await Promise.all(
      this.requests.map(async (request) => {
        for (const untilMs = Date.now() + LIMIT_MS; ; ) {
          await this.ask(request);
          if (!known.has(request.number) || this.standings.get(request.number) === 'reserved' || Date.now() > untilMs) return;
        }
      }),
    );
  }

  private prove(first: Standings, left: number, log: SeatsInLog, shown: Resource): ExitCode {
    const { people, seats } = this.options;
    const { reserved, waiting, refused, cancelled } = this.counted();
    const { mostTaken, taken, granted, contradictions } = log;
    const toGrant = Math.min(left, first.waiting);
    const verified =
      reserved + waiting + refused + cancelled === people &&
      first.reserved === Math.min(seats, people) &&
      reserved === first.reserved - left + toGrant &&
      cancelled === left &&
      waiting === log.waiting.length &&
      taken === reserved &&
      isShown(log, shown) &&
      mostTaken <= seats &&
      granted.length === toGrant &&
      granted.every((number) => this.standings.get(number) === 'reserved') &&
      contradictions.length === 0;
    const figures = { people, seats, reserved, cancelled, waiting, refused, mostTaken, granted: granted.length };
    if (this.output.json) this.output.object({ resourceId: this.resourceId, ...figures, contradictions, verified });
    else {
      this.output.line(`people = reserved + waiting + refused + cancelled: ${people} = ${reserved} + ${waiting} + ${refused} + ${cancelled}; ${seats} seats`);
      this.output.line(`by the log never more than ${mostTaken} seats were taken, and ${granted.length} that came free went each to the first that waited`);
      this.output.line(`log = read store: ${taken} taken = ${shown.taken} taken, ${log.waiting.length} wait = ${shown.waitingCount} wait`);
      for (const contradiction of contradictions) this.output.line(contradiction);
      if (!verified) this.output.line('NOT VERIFIED');
    }
    return verified ? EXIT.done : EXIT.refused;
  }

  private counted(): Standings {
    const counts: Standings = { reserved: 0, waiting: 0, refused: 0, cancelled: 0, unknown: 0 };
    for (const standing of this.standings.values()) counts[standing] += 1;
    return counts;
  }
}

function isShown({ taken, waiting }: SeatsInLog, shown: Resource): boolean {
  return shown.taken === taken && shown.waitingCount === waiting.length;
}

function standingOf({ state, waiting }: Reserved): Standing {
  switch (state) {
    case 'RESERVED':
      return 'reserved';
    case 'REJECTED':
      return 'refused';
    case 'CANCELLED':
      return 'cancelled';
    case 'PENDING':
      return waiting ? 'waiting' : 'unknown';
    case 'ASSOCIATED':
    case 'COMPLETED':
    case 'EXPIRED':
    case undefined:
      return 'unknown';
    default:
      return state satisfies never;
  }
}
