/** @file What a run holds open for one subject: its dataset, and the network, loaded when a step first needs it. */
import { cutTexts } from '../activations/cut-texts.ts';
import { siteOf } from '../activations/site-of.ts';
import type { ActivationSet, ChatFormat, Dataset, Item, Site } from '../contract/data.ts';
import type { Subject } from '../contract/subject.ts';
import { UserError } from '../errors.ts';
import { folderStamp, subjectFingerprint } from '../io/fingerprint.ts';
import type { Registry } from '../registry.ts';
import { checkModality, uniqueConcepts } from '../suite/fitting-dataset.ts';
import { openDataset } from '../suite/resolve-dataset.ts';
import { generalOf, IMPORTED, NO_FAMILY, type PlannedSubject, type ResolvedDataset } from '../suite/resolved.ts';
import { type WholeExamples, wholeExamples } from './labelled.ts';
import { createOnce } from './once.ts';
import { placeOf, type Run } from './run.ts';

type ConceptLimits = PlannedSubject['concepts'];

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
  /** What methods are trained on that are not trained on the dataset. Absent without a subject. */
  general?(): Promise<Dataset>;
  /** The chat format of the subject's folder; gives undefined where it has none. Absent without a subject. */
  chat?(): Promise<ChatFormat | undefined>;
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
export async function openOutline(planned: PlannedSubject, run: Where): Promise<SessionOutline> {
  const { id } = planned;
  const { folder } = placeOf(run.places, planned);
  const outline = folder === undefined ? undefined : await (await familyOf(planned, run.registry)).outline?.(folder);
  if (outline === undefined) {
    const session = await openSession(planned, run);
    return { ...session, parameters: session.facts.parameters };
  }
  const dataset = await openOwnDataset(planned, run);
  return { parameters: outline.parameters, dataset, site: siteFinder({ ...outline, id }, dataset), dispose() {} };
}

/** What of a run opens its subjects. */
type Where = Pick<Run, 'registry' | 'places'>;

const familyOf = ({ family }: Pick<PlannedSubject, 'family'>, registry: Registry) =>
  registry.get('subject', family.split('@')[0]!);

const openOwnDataset = (planned: PlannedSubject, run: Where) => openPlanned(planned, planned.dataset, run);

async function openPlanned(
  planned: PlannedSubject,
  dataset: ResolvedDataset,
  { registry, places }: Where,
): Promise<Dataset> {
  const { baseDir, folder } = placeOf(places, planned);
  const definition = await registry.get('dataset', dataset.id);
  // What the plan was made of is in the cache: a branch that has moved on since is another data set.
  const folderOf = folder === undefined ? undefined : async () => folder;
  const opened = await openDataset(definition, dataset, { baseDir, folderOf, download: false });
  requireSame(`dataset ${dataset.id} of ${planned.id}`, dataset.fingerprint, opened.fingerprint);
  return opened;
}

/** @throws UserError where other data lie there than when the run was planned: their numbers would have the keys of those. */
function requireSame(what: string, planned: string, found: string): void {
  if (found === planned) return;
  throw new UserError(`${what}: changed since the run was planned; run the command again.`);
}

/** The site of a name, where the dataset fits it. */
function siteFinder(subject: { id: string; sites: Site[] }, dataset: Dataset): Session['site'] {
  return (name) => {
    const site = siteOf(subject, name);
    checkModality(subject.id, site, dataset);
    return site;
  };
}

/** A model of the plan, loaded from where it lies. The caller disposes of it. */
export async function loadSubject(
  planned: Pick<PlannedSubject, 'id' | 'fingerprint' | 'family' | 'randomInit'>,
  run: Where,
): Promise<Subject> {
  const { id, fingerprint, randomInit } = planned;
  const { folder, stamp } = placeOf(run.places, planned);
  if (folder === undefined) throw new Error(`internal: ${id} has no folder`);
  const subject = await (await familyOf(planned, run.registry)).load(folder, { id, randomInit });
  try {
    // After loading: a training elsewhere may write the folder while another subject is worked on, or right now.
    if (stamp !== (await folderStamp(folder)))
      requireSame(`subject ${folder}`, fingerprint, await subjectFingerprint(folder, randomInit));
  } catch (error) {
    subject.dispose();
    throw error;
  }
  return subject;
}

/** Opens a subject of the plan. The caller disposes of it. */
export async function openSession(planned: PlannedSubject, run: Where): Promise<Session> {
  const { id, fingerprint, collect } = planned;
  const { folder, imported } = placeOf(run.places, planned);
  if (imported !== undefined) return openImportedSession(planned, imported);
  const dataset = await openOwnDataset(planned, run);
  if (folder === undefined) return openVectorSession(planned, dataset);
  const subject = await loadSubject(planned, run);
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
    facts: { id, fingerprint, family: subject.family, parameters: subject.parameters },
    dataset,
    general: () => once('general', () => openPlanned(planned, generalOf(planned)!, run)),
    chat: () => once('chat', async () => (await import('../io/chat-format.ts')).openChatFormat(folder)),
    notes: dataset.notes ?? [],
    site: siteFinder(subject, dataset),
    labelledSet(site, limits) {
      const key = JSON.stringify([siteOf(subject, site).modality, limits]);
      return once(key, () => labelledSet(site, limits));
    },
    testItems: () => once('test', () => dataset.corpus('test', collect.test)),
    ...ownerOf(subject),
  };
}

/** All labelled examples, where no context cuts any. */
const wholeSet = async (dataset: Dataset, limits: ConceptLimits): Promise<WholeExamples> => ({
  set: uniqueConcepts(await dataset.concepts!(limits), dataset.id),
  notes: [],
});

/** A dataset of vectors, which no network takes part in. */
function openVectorSession({ id, fingerprint, collect }: PlannedSubject, dataset: Dataset): Session {
  const { site } = dataset.activations!;
  const once = createOnce();
  return {
    facts: { id, fingerprint, family: NO_FAMILY, parameters: null },
    dataset,
    notes: [],
    site: siteFinder({ id, sites: [site] }, dataset),
    labelledSet: (_site, limits) => once(JSON.stringify(limits), () => wholeSet(dataset, limits)),
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

async function openImportedSession(
  { id, draw, notes = [], collect, fingerprint }: PlannedSubject,
  imported: string,
): Promise<Session> {
  const { openImport } = await import('../activations/import.ts');
  const { dataset, site, activationsFor, fingerprint: found } = await openImport(imported, draw);
  requireSame(`activations ${imported}`, fingerprint, found);
  return {
    facts: { id, fingerprint, family: IMPORTED, parameters: null },
    dataset,
    activationsFor,
    notes,
    site: (name) => siteOf({ id, sites: [site] }, name),
    labelledSet: (_site, limits) => wholeSet(dataset, limits),
    testItems: () => dataset.corpus('test', collect.test),
    ...ownerOf(),
  };
}
