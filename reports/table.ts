/** @file Tables: what all methods reached on one task at one site, with seeds joined. */
import type { Sampled } from '../harness/num/stats/paired.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import type { TableJudging } from './judging.ts';
import type { TableMark } from './marks.ts';
import type { Setting } from './settings.ts';

/** One number of a table. */
export interface Cell {
  value: number | null;
  ci95: [number, number] | null;
  n: number;
  /** The interval rests on few units (under 10): it is marked, since it is wide and leans on the shape of the data. */
  few?: boolean;
  /** Seeds with a value. */
  seeds: number;
  /** Standard deviation over seeds; null with fewer than two. */
  sd: number | null;
  unit: string;
  direction: 'max' | 'min' | 'none';
  reason?: string;
}

/** What one seed gave, with what its task tells of each unit by itself. */
export interface SampledUnits extends Sampled {
  /** What a unit is. */
  unit?: string;
  intervals?: Map<string, [number, number] | null>;
  /** Whether a unit is told apart from chance. */
  apart?: Map<string, boolean>;
}

/** One line of a table: a method under one setting of the task's axes. */
export interface TableRow extends Setting {
  axes: Record<string, string>;
  /** A null row of the task (`method`), or what stands beside a method to compare it with (`row`: not ranked). */
  control?: 'method' | 'row';
  cells: Record<string, Cell>;
  /** What each seed gave for the main metric, for comparisons in pairs. */
  sampled: SampledUnits[];
  /** Not the row of its method that is ranked. */
  detail: boolean;
  /** Title of the rows that it is ranked among; empty where the task has no bands. */
  band: string;
  /** 1 = best of its band by the main metric; null for details, controls, dense bands, empty cells and lone rows. */
  rank: number | null;
  /** Against the first of its band: told apart by the paired test, not told apart, nothing to test on, or no other row. */
  standing?: 'apart' | 'tied' | 'untested' | 'alone';
  /** Why all or some of its seeds have no result: `seed 2: …`. */
  failures?: string[];
  /** Of that test, corrected for the number of comparisons. */
  p?: number;
  /** The difference from the first that the test would have found with a power of 80 %. */
  detectable?: number;
  /** That difference is larger than the metric's range has room for: nothing can be told. */
  blind?: boolean;
}

/** All methods on one task at one site. */
export interface Table {
  subject: Result['subject'];
  site: Result['site'];
  dataset: Result['dataset'];
  task: Result['task'];
  /** Metric names, the main one first, then in the order of the results. */
  metrics: string[];
  main?: string;
  seeds: number[];
  /** How often SAEs saw each training row; one number where all of them trained alike. */
  epochs: number[];
  /** What readers must know about some of its methods. */
  marks: TableMark[];
  /** Names of methods with results that were made with `--limit`. */
  limited: string[];
  /** How its judges did. */
  judging: TableJudging[];
  /** Band by band, best first, then the details. */
  rows: TableRow[];
  /** Heading of the control that it is, where its task steers a subject that was trained for it. */
  plantedControl?: string;
  /** Why its rows have no ranks: they are a control, or controls beat the best method. */
  withheld?: string;
  /** Why there are no rows, where the task does not apply to this subject. */
  unavailable?: string;
}
