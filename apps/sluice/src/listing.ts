/** How listings take their pages. */

/** The services answer no larger one. */
export const MAXIMUM_PAGE_SIZE = 1_000;

/** As large as is needed, as small as is allowed. */
export function pageOf(limit: number): { pageSize: number } {
  return { pageSize: limit === 0 ? MAXIMUM_PAGE_SIZE : Math.min(limit, MAXIMUM_PAGE_SIZE) };
}

/** The first so many items; 0: all. */
export async function firstOf<Item>(limit: number, items: AsyncIterable<Item>): Promise<Item[]> {
  const taken: Item[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length === limit) break;
  }
  return taken;
}
