/** A number in the name of a block, such that names stand in the order of their numbers. */
export function numbered(value: number): string {
  return String(value).padStart(16, '0');
}
