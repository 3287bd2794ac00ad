/** The id of a delivery: "d-<source>-<target>-<number>". It never changes, whoever sends the delivery and however often. */
export interface DeliveryName {
  readonly source: number;
  readonly target: number;
  /** 1, 2, 3 … for an ordered pair of partitions. */
  readonly number: number;
}

export function deliveryId({ source, target, number }: DeliveryName): string {
  return `d-${source}-${target}-${number}`;
}

const PATTERN = /^d-(\d{1,9})-(\d{1,9})-(\d{1,15})$/;

/** Undefined: the text is no id of a delivery. */
export function parseDeliveryId(id: string): DeliveryName | undefined {
  const found = PATTERN.exec(id);
  return found === null ? undefined : { source: Number(found[1]), target: Number(found[2]), number: Number(found[3]) };
}
