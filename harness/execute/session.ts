/** @file What a run holds open for one subject: its dataset, and the network, loaded when a step first needs it. */
import type { ActivationSet, Dataset, Item } from '../contract/data.ts';
import type { Site, Subject } from '../contract/subject.ts';
import type { Registry } from '../registry.ts';
import { openDataset } from '../suite/resolve.ts';
import type { ResolvedSubject } from '../suite/resolved.ts';
import { siteOf } from './open-subject.ts';

/** The subject's part of a result. */
export interface SubjectFacts {
  id: string;
  fingerprint: string;
  family: string;
  parameters: number | null;
}

export interface Session {
  /** Absent for imported activations. */
  subject?: Subject;
  facts: SubjectFacts;
  dataset: Dataset;
  /** Imported activations of items: they are read where they lie, not copied into the store. */
  activationsFor?(items: readonly Item[]): Promise<ActivationSet>;
  /** What a reader of results must know about the data, e.g. that labels are pseudo-labels. */
  notes: string[];
  /** @throws UserError for an unknown site. */
  site(name: string): Site;
  /** Held-out items, read once. */
  testItems(): Promise<Item[]>;
  dispose(): void;
}

/** Opens a subject of the plan. The caller disposes of it. */
export async function openSession(resolved: ResolvedSubject, registry: Registry): Promise<Session> {
  const { id, folder, family, collect } = resolved;
  if (folder === undefined) return openImportedSession(resolved);
  const definition = await registry.get('dataset', resolved.dataset.id);
  const dataset = await openDataset(definition, resolved.dataset, resolved.baseDir);
  const subject = await (await registry.get('subject', family.split('@')[0]!)).load(folder, { id });
  let items: Promise<Item[]> | undefined;
  return {
    subject,
    facts: { id, fingerprint: subject.fingerprint, family: subject.family, parameters: subject.parameters },
    dataset,
    notes: [],
    site: (name) => siteOf(subject, name),
    testItems() {
      items ??= dataset.corpus('test', collect.test);
      return items;
    },
    dispose: () => subject.dispose(),
  };
}

async function openImportedSession({
  id,
  imported,
  draw,
  notes = [],
  collect,
  fingerprint,
}: ResolvedSubject): Promise<Session> {
  const { openImport } = await import('../activations/import.ts');
  const { dataset, site, activationsFor } = await openImport(imported!, draw);
  return {
    facts: { id, fingerprint, family: 'imported', parameters: null },
    dataset,
    activationsFor,
    notes,
    site: (name) => siteOf({ id, sites: [site] }, name),
    testItems: () => dataset.corpus('test', collect.test),
    dispose() {},
  };
}
