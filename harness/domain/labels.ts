/** @file What a cell of a concept's column, or a role of the long form, says. */
import { LABEL } from './domain.ts';

/** What the cells of a table hold, once read: text without space around it. */
export type Row = Readonly<Record<string, string>>;

/** Words for a missing value, as spreadsheets and pandas write them. */
const UNKNOWN = ['', 'na', 'n/a', 'nan', 'null', 'none', 'unknown', '?'];

const CELLS: ReadonlyMap<string, number> = new Map([
  ...UNKNOWN.map((word) => [word, LABEL.unknown] as const),
  ...['1', '1.0', 'true', 'yes'].map((word) => [word, LABEL.positive] as const),
  ...['0', '0.0', 'false', 'no'].map((word) => [word, LABEL.negative] as const),
  ['hard_negative', LABEL.hardNegative],
]);

export const CELL_MEANING = '1, 0, true, false, yes, no, hard_negative, or blank (nobody knows)';

/** The label that a cell says; undefined where it says none. */
export const labelOfCell = (cell: string): number | undefined => CELLS.get(cell.toLowerCase());

/** Whether a cell says that nothing is known. */
export const isMissing = (cell: string): boolean => labelOfCell(cell) === LABEL.unknown;

const ROLES: ReadonlyMap<string, number> = new Map([
  ['positive', LABEL.positive],
  ['negative', LABEL.negative],
  ['hard_negative', LABEL.hardNegative],
  ['hard-negative', LABEL.hardNegative],
]);

export const ROLE_MEANING = 'positive, negative or hard_negative';

export const labelOfRole = (role: string): number | undefined => ROLES.get(role.toLowerCase());
