/** @file What a domain is: a group's own texts or images, its concepts, and what people said of which shows which. */

/** What is known of one example and one concept. Nobody having said anything is not the same as saying no. */
export const LABEL = { unknown: -1, negative: 0, positive: 1, hardNegative: 2 } as const;

export interface DomainExample {
  id: string;
  text?: string;
  /** Path of the image within the folder, as written, and where it lies. */
  image?: { name: string; path: string; hash: string };
  /** Of examples that are not independent: one patient, one document. */
  group?: string;
  /** As declared in the table. */
  split?: 'train' | 'test';
  /** By name; those that are blank are absent. */
  covariates: Record<string, string | number>;
}

export interface DomainConcept {
  /** Its name made plain. */
  id: string;
  /** As written. */
  name: string;
  synonyms: string[];
  code?: string;
  /** Place of another concept. */
  parent?: number;
  definition?: string;
  /** Share of the population that shows it, where that is another than in the table. */
  prevalence?: number;
  /** Whether a text may deny it. Absent: it may. */
  deniable?: boolean;
}

/** What a folder's `suite.json` says of its data; the rest of that file is about the run. */
export interface DomainSettings {
  /** Whether results may hold the texts. Default: they may not. */
  texts: 'private' | 'open';
  /** Columns that are known of examples and are no concepts. */
  covariates: string[];
  /** Columns that are not read. */
  ignore: string[];
}

export interface Domain {
  folder: string;
  /** The table of examples, for messages. */
  file: string;
  modality: 'text' | 'image';
  settings: DomainSettings;
  examples: DomainExample[];
  concepts: DomainConcept[];
  /** By concept, of each example one of {@link LABEL}. */
  labels: Int8Array[];
  /** Names of the covariates, and whether all their values are numbers. */
  covariates: { name: string; numeric: boolean }[];
  /** Over all that was read but whether texts are private. */
  fingerprint: string;
}
