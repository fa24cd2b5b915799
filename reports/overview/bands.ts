/** @file Which SAEs of a place are of equal size: those in one band of the task that has bands. */
import type { Table, TableRow } from '../table.ts';

/** The row of each method that its table ranks; the null rows among them. */
export const headlines = ({ rows }: Pick<Table, 'rows'>): TableRow[] => rows.filter(({ detail }) => !detail);

/** What a task is called within a sentence. */
export const nameOf = ({ task }: Pick<Table, 'task'>): string => task.id.replaceAll('-', ' ');

/** The value by which a table ranks a row. */
export const mainOf = ({ main }: Pick<Table, 'main'>, row: TableRow): number | null =>
  (main === undefined ? null : row.cells[main]?.value) ?? null;

/** SAEs that may be compared, with the title of their band; empty where no task at the place has bands. */
export interface SaeBand {
  title: string;
  methods: string[];
}

const isRanked = ({ rank, standing }: TableRow): boolean => rank !== null || standing !== undefined;

/** The SAEs of a place by band, in the bands' order. Those that no band ranks (dense codes, no value) are in none. */
export function saeBands(tables: readonly Table[]): SaeBand[] {
  const banded = tables.find(({ task }) => task.shows?.bands);
  const bands = new Map<string, Set<string>>();
  for (const table of banded ? [banded] : tables) {
    for (const row of headlines(table)) {
      if (row.method.kind !== 'sae' || row.control !== undefined || mainOf(table, row) === null) continue;
      if (banded && !isRanked(row)) continue;
      const title = banded ? row.band : '';
      bands.set(title, (bands.get(title) ?? new Set()).add(row.method.name));
    }
  }
  return [...bands].map(([title, methods]) => ({ title, methods: [...methods] }));
}

/** Whether a table rates methods: it says which of two values is better, ranks them, and is not of what methods cost. */
export function isRating({ task, main, withheld, rows }: Table): boolean {
  const direction =
    main === undefined ? 'none' : (rows.find(({ cells }) => cells[main])?.cells[main]?.direction ?? 'none');
  return direction !== 'none' && withheld === undefined && task.shows?.costs === undefined;
}

/** 1 where more is better, -1 where less is. */
export const signOf = ({ main, rows }: Table): 1 | -1 =>
  rows.find(({ cells }) => cells[main!])?.cells[main!]?.direction === 'min' ? -1 : 1;
