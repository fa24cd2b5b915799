/** @file What every plug-in carries, and how its options are declared. */

/** Identity of a plug-in, and where it comes from. `id` must equal the file's name. */
export interface Plugin {
  id: string;
  /** One line for tables and `saxbench ls`. */
  title: string;
  /** Citation of the method, e.g. `Gao et al. 2024, arXiv:2406.04093`; omitted where there is none. */
  paper?: string;
  /** SPDX id of its licence, e.g. `Apache-2.0`: `saxbench submit` asks for it. */
  licence?: string;
  /** Raised whenever the numbers change: part of the key of every step that the plug-in takes part in. */
  version: number;
  /** Data files that the plug-in reads, relative to its own file: part of the same keys. */
  files?: readonly string[];
  /** Set when a plug-in from outside is loaded: its file. What such a plug-in returns is checked. */
  source?: string;
}

/** A JSON-Schema fragment for a plug-in's options: property name → schema with `default` and `description`. */
export type OptionsSchema = Record<string, { default?: unknown; description: string; [keyword: string]: unknown }>;
