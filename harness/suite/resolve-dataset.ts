/** @file Resolves what is passed through a subject: its dataset, and the general one that methods may be trained on in its place. */
import type { Dataset, DatasetDefinition } from '../contract.ts';
import { UserError } from '../errors.ts';
import { resolveOptions } from '../options.ts';
import type { Registry } from '../registry.ts';
import type { SuiteDataset, SuiteMethod, SuiteSubject } from '../schema/suite.generated.ts';
import { subjectName } from './load.ts';
import type { ResolvedDataset, ResolvedSubject } from './resolved.ts';
import { subjectFolder } from './subjects.ts';

interface ResolveContext {
  registry: Registry;
  baseDir: string;
}

/** @throws UserError for an unknown one, wrong options, data that are not there. */
export async function resolveDataset(
  subject: SuiteSubject,
  given: SuiteDataset,
  { registry, baseDir }: ResolveContext,
  where: string,
): Promise<ResolvedDataset> {
  const definition = await registry.get('dataset', given.id);
  const options = await resolveOptions(definition.options, given.options, `${where}: dataset ${given.id}`);
  const seed = given.seed ?? 0;
  const dataset = await openDataset(
    definition,
    { options, seed },
    { baseDir, folderOf: () => subjectFolder(subject, baseDir) },
  );
  return {
    id: definition.id,
    version: definition.version,
    modality: dataset.modality,
    options,
    optionsPassed: given.options ?? {},
    seed,
    fingerprint: dataset.fingerprint,
    hasConcepts: dataset.concepts !== undefined,
    ...(dataset.activations ? { ownActivations: true } : {}),
    ...(dataset.privateItems ? { privateItems: true } : {}),
  };
}

/** What a dataset is opened in. */
interface DatasetPlace {
  baseDir: string;
  /** The folder of the subject that is to read it, for its chat format. */
  folderOf?: (() => Promise<string>) | undefined;
  /** See `DatasetContext`. */
  download?: boolean;
}

/** Opens a dataset with options that were resolved already. */
export function openDataset(
  definition: DatasetDefinition,
  { options, seed }: Pick<ResolvedDataset, 'options' | 'seed'>,
  { baseDir, folderOf, download = true }: DatasetPlace,
): Promise<Dataset> {
  const chat = async () => {
    const { openChatFormat } = await import('../io/chat-format.ts');
    return openChatFormat(await folderOf!());
  };
  return definition.open(options, { seed, baseDir, download, ...(folderOf ? { chat } : {}) });
}

/**
 * The general data of a subject, where a method is trained on them. That they cannot be had leaves those methods out, with the
 * reason, and the run as it is: it may be offline.
 *
 * @throws UserError for data that are of another kind, or activations by themselves.
 */
export async function resolveGeneral(
  subject: SuiteSubject,
  { modality }: ResolvedDataset,
  methods: readonly SuiteMethod[],
  context: ResolveContext,
  where: string,
): Promise<Pick<ResolvedSubject, 'general'>> {
  const name = subjectName(subject);
  const wanted = methods.some(
    ({ trainedOn, subjects }) => trainedOn !== undefined && (subjects?.includes(name) ?? true),
  );
  if (!wanted || subject.general === undefined) return {};
  // A wrong name or option is a mistake, wherever the data are.
  const { options: schema } = await context.registry.get('dataset', subject.general.id);
  await resolveOptions(schema, subject.general.options, `${where}: dataset ${subject.general.id}`);
  let general: ResolvedDataset;
  try {
    general = await resolveDataset(subject, subject.general, context, where);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { general: { reason: error.message.replace(/\.$/, '') } };
  }
  if (general.modality !== modality || general.ownActivations) {
    throw new UserError(
      `${where}: subject ${name}: general: expected data of the modality ${modality}, as the dataset has; found ${general.id}: ${general.modality}.`,
    );
  }
  return { general };
}
