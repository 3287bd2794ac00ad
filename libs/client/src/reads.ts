/**
 * How the client reads: every read carries the position of what this client wrote before, so that it reads its own writes; an
 * option says otherwise for one call, `readYourWrites: false` for all.
 */
import type { Caller, CallOptions, StreamOptions, UnaryMethod } from './caller';
import type { PositionTracker } from './position-tracker';
import { toSluiceError } from './sluice-error';

/** How new an answer must be. */
interface Freshness {
  /** Answer from data at least this new; default: what this client wrote. Empty: from what is there. */
  readonly positionToken?: string;
  /** Tokens of several replies, of other clients' too: the answer covers them all. */
  readonly positionTokens?: readonly string[];
}

export interface ReadOptions extends CallOptions, Freshness {}

/** Of a watch; how new its first answer must be. */
export interface WatchOptions extends StreamOptions, Freshness {}

export interface PageOptions extends ReadOptions {
  /** 1 to 1,000; default 100 for a page, 1,000 for an iteration. */
  readonly pageSize?: number;
  readonly pageToken?: string;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Empty: this was the last page. */
  readonly nextPageToken: string;
}

const MAXIMUM_PAGE_SIZE = 1_000;

export class Reads {
  readonly #caller: Caller;
  readonly #positions: PositionTracker;
  readonly #readYourWrites: boolean;

  constructor(caller: Caller, positions: PositionTracker, readYourWrites: boolean) {
    this.#caller = caller;
    this.#positions = positions;
    this.#readYourWrites = readYourWrites;
  }

  /** The position tokens that the read carries. */
  covering({ positionToken, positionTokens }: Freshness = {}): { positionToken: string; positionTokens: string[] } {
    const written = this.#readYourWrites && positionTokens === undefined ? this.#positions.token : '';
    return { positionToken: positionToken ?? written, positionTokens: [...(positionTokens ?? [])] };
  }

  /** The same for requests that have the field `position_tokens` alone. */
  coveringAll(freshness: Freshness | undefined): string[] {
    const { positionToken, positionTokens } = this.covering(freshness);
    return positionToken === '' ? positionTokens : [positionToken, ...positionTokens];
  }

  async read<Request, Response>(method: UnaryMethod<Request, Response>, request: Request, options: CallOptions | undefined): Promise<Response> {
    try {
      return await this.#caller.unary(method, request, options);
    } catch (error) {
      const failure = toSluiceError(error);
      // Said once: the log was restored, and what this client wrote before may be gone. From now on it reads what is there.
      if (failure.reason === 'TOKEN_OF_OTHER_LOG') this.#positions.forget();
      throw failure;
    }
  }
}

/** @internal Page after page, as the items are asked for. */
export async function* iteratePages<Item>(
  readPage: (options: PageOptions) => Promise<Page<Item>>,
  options: PageOptions,
): AsyncGenerator<Item, void, undefined> {
  let pageToken = options.pageToken ?? '';
  do {
    const page = await readPage({ pageSize: MAXIMUM_PAGE_SIZE, ...options, pageToken });
    yield* page.items;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}
