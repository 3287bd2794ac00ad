/** A number as text that sorts like the number: how many digits it has, then its digits (base 36). */
export function sortableNumber(value: number): string {
  const digits = value.toString(36);
  return digits.length.toString(36) + digits;
}
