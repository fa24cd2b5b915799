/** @file Tables that others published, as data: what stands beside which of our rows. Reports know the tasks by these files alone. */

/** Which rows of ours a published method is: all properties must fit. */
export interface OurRow {
  /** Id of the method. */
  method?: string;
  kind?: 'sae' | 'baseline';
  /** Value of the axis `selection`. */
  selection?: string;
}

export interface PublishedTable {
  title: string;
  task: string;
  metric: string;
  /** The cells are win rates over units against the first of these methods that a run has, not values of the metric. */
  against?: readonly string[];
  /** By method, a number a column; null where none was published. */
  rows: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface Published {
  id: string;
  /** Results on this dataset stand beside it. */
  dataset: string;
  title: string;
  source: string;
  notes: readonly string[];
  ours: Readonly<Record<string, OurRow>>;
  columns: readonly string[];
  tables: readonly PublishedTable[];
}
