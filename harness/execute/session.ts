/** @file What a run holds open for one subject: its dataset, and the network, loaded when a step first needs it. */
import { cutTexts } from '../activations/cut-texts.ts';
import { siteOf } from '../activations/site-of.ts';
import type { ActivationSet, Dataset, Item } from '../contract/data.ts';
import type { Site, Subject } from '../contract/subject.ts';
import { UserError } from '../errors.ts';
import type { Registry } from '../registry.ts';
import { checkModality, uniqueConcepts } from '../suite/fitting-dataset.ts';
import { openDataset } from '../suite/resolve.ts';
import type { ResolvedSubject } from '../suite/resolved.ts';
import { createOnce } from './once.ts';
import { type WholeExamples, wholeExamples } from './whole-examples.ts';

type ConceptLimits = ResolvedSubject['concepts'];

interface Disposable {
  dispose(): void;
}

/** The subject's part of a result. */
export interface SubjectFacts {
  id: string;
  fingerprint: string;
  family: string;
  parameters: number | null;
}

export interface Session {
  /** Absent for imported activations and for a dataset's own. */
  subject?: Subject;
  facts: SubjectFacts;
  dataset: Dataset;
  /** Imported activations of items: they are read where they lie, not copied into the store. */
  activationsFor?(items: readonly Item[]): Promise<ActivationSet>;
  /** What a reader of results must know about the data, e.g. that labels are pseudo-labels. */
  notes: string[];
  /** @throws UserError for an unknown site. */
  site(name: string): Site;
  /** The dataset's labelled examples, as far as the subject sees at a site what they show. */
  labelledSet(site: string, limits: ConceptLimits): Promise<WholeExamples>;
  /** Held-out items, read once. */
  testItems(): Promise<Item[]>;
  /** What is disposed of with the session. */
  own(thing: Disposable): void;
  dispose(): void;
}

/** What a session tells before its subject is loaded. */
export interface SessionOutline extends Pick<Session, 'dataset' | 'site' | 'dispose'> {
  /** Null for imported activations and for a dataset's own. */
  parameters: number | null;
}

/** Opens what needs no weights, or all where the family has no outline. The caller disposes of it. */
export async function openOutline(resolved: ResolvedSubject, registry: Registry): Promise<SessionOutline> {
  const { id, folder } = resolved;
  const outline = folder === undefined ? undefined : await (await familyOf(resolved, registry)).outline?.(folder);
  if (outline === undefined) {
    const session = await openSession(resolved, registry);
    return { ...session, parameters: session.facts.parameters };
  }
  const dataset = await openOwnDataset(resolved, registry);
  return { parameters: outline.parameters, dataset, site: siteFinder({ ...outline, id }, dataset), dispose() {} };
}

const familyOf = ({ family }: ResolvedSubject, registry: Registry) => registry.get('subject', family.split('@')[0]!);

async function openOwnDataset({ dataset, baseDir }: ResolvedSubject, registry: Registry): Promise<Dataset> {
  return openDataset(await registry.get('dataset', dataset.id), dataset, baseDir);
}

/** The site of a name, where the dataset fits it. */
function siteFinder(subject: { id: string; sites: Site[] }, dataset: Dataset): Session['site'] {
  return (name) => {
    const site = siteOf(subject, name);
    checkModality(subject.id, site, dataset);
    return site;
  };
}

/** Opens a subject of the plan. The caller disposes of it. */
export async function openSession(resolved: ResolvedSubject, registry: Registry): Promise<Session> {
  const { id, folder, collect } = resolved;
  if (resolved.imported !== undefined) return openImportedSession(resolved);
  const dataset = await openOwnDataset(resolved, registry);
  if (folder === undefined) return openVectorSession(resolved, dataset);
  const subject = await (await familyOf(resolved, registry)).load(folder, { id });
  const once = createOnce();
  const labelledSet = async (site: string, limits: ConceptLimits): Promise<WholeExamples> => {
    const set = uniqueConcepts(await dataset.concepts!(limits), dataset.id);
    // Images are seen whole.
    if (siteOf(subject, site).modality === 'image') return { set, notes: [] };
    const texts = set.items.map(({ text, caption }) => text ?? caption ?? '');
    const cut = cutTexts(subject, texts, collect.maxLength);
    return wholeExamples(set, (text) => cut.get(text), id);
  };
  return {
    subject,
    facts: { id, fingerprint: resolved.fingerprint, family: subject.family, parameters: subject.parameters },
    dataset,
    notes: [],
    site: siteFinder(subject, dataset),
    labelledSet(site, limits) {
      const key = JSON.stringify([siteOf(subject, site).modality, limits]);
      return once(key, () => labelledSet(site, limits));
    },
    testItems: () => once('test', () => dataset.corpus('test', collect.test)),
    ...ownerOf(subject),
  };
}

/** A dataset of vectors, which no network takes part in. */
function openVectorSession({ id, fingerprint, collect }: ResolvedSubject, dataset: Dataset): Session {
  const { site } = dataset.activations!;
  const once = createOnce();
  return {
    facts: { id, fingerprint, family: 'none', parameters: null },
    dataset,
    notes: [],
    site: siteFinder({ id, sites: [site] }, dataset),
    labelledSet: (_site, limits) =>
      once(JSON.stringify(limits), async () => ({
        set: uniqueConcepts(await dataset.concepts!(limits), dataset.id),
        notes: [],
      })),
    testItems: () => once('test', () => dataset.corpus('test', collect.test)),
    ...ownerOf(),
  };
}

/** Disposes of what it owns, the latest first. */
function ownerOf(...owned: Disposable[]): Pick<Session, 'own' | 'dispose'> {
  return {
    own: (thing) => void owned.unshift(thing),
    dispose() {
      for (const thing of owned) thing.dispose();
    },
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
  const { dataset, site, activationsFor, fingerprint: found } = await openImport(imported!, draw);
  if (found !== fingerprint)
    throw new UserError(`activations ${imported}: changed since the run was planned; run the command again.`);
  return {
    facts: { id, fingerprint, family: 'imported', parameters: null },
    dataset,
    activationsFor,
    notes,
    site: (name) => siteOf({ id, sites: [site] }, name),
    labelledSet: async (_site, limits) => ({
      set: uniqueConcepts(await dataset.concepts!(limits), dataset.id),
      notes: [],
    }),
    testItems: () => dataset.corpus('test', collect.test),
    ...ownerOf(),
  };
}
