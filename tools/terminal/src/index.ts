/** What programs show to people: tables, and one line that says what happens now. */
export { Progress } from './progress';
export { type Cell, formatCell, formatTable } from './table';
