/** @file Natural text from several sources, with the concepts of several labelled sets: what an SAE of a real model needs. */
import {
  type Concept,
  type ConceptSet,
  type Dataset,
  defineDataset,
  type OptionsSchema,
  type TextPairing,
  UserError,
} from '../../harness/contract.ts';
import { createRng, sha256File, sha256Json } from '../../harness/kit/index.ts';
import { AG_NEWS_TOPICS, readAgNews } from './parts/agnews-texts.ts';
import { AXBENCH_PAIRS, axbenchConcepts, axbenchTables } from './parts/axbench-concepts.ts';
import { rememberSets } from './parts/concept-set-builder.ts';
import { conversationFormat, type FormatName, formatOption } from './parts/conversation.ts';
import { documentCorpus } from './parts/document-corpus.ts';
import { type DocumentFiles, documentFiles, findDocuments } from './parts/document-files.ts';
import { readDocuments } from './parts/documents.ts';
import { findData, type PathOption, pathOption, type Source, sourceNotes } from './parts/files.ts';
import { joinedConcepts } from './parts/joined-concepts.ts';
import { LABELLED_PAIRS, type LabelledText, labelledConcepts } from './parts/labelled-texts.ts';
import { useOf } from './parts/partition.ts';
import { passagesOf } from './parts/passages.ts';
import { readSst2, SST2_SENTIMENTS } from './parts/sst2-texts.ts';

interface Options {
  corpus: DocumentFiles;
  agnewsPath?: PathOption;
  sst2Path?: PathOption;
  axbenchPath?: PathOption;
  format: FormatName;
  train: number;
  eval: number;
  words: number;
}

/** A labelled set: its option, its classes, how its file is read. */
interface Labelled {
  id: string;
  option: 'agnewsPath' | 'sst2Path';
  classes: readonly Concept[];
  read: (path: string) => Promise<LabelledText[]>;
}

const LABELLED: readonly Labelled[] = [
  { id: 'agnews', option: 'agnewsPath', classes: AG_NEWS_TOPICS, read: readAgNews },
  { id: 'sst2', option: 'sst2Path', classes: SST2_SENTIMENTS, read: readSst2 },
];

const OPTIONS: OptionsSchema = {
  corpus: documentFiles('Files of documents'),
  agnewsPath: pathOption('AG News (CSV): half of its texts join the corpus, the others show its four topics.'),
  sst2Path: pathOption('SST-2 (TSV): half of its sentences join the corpus, the others show the two sentiments.'),
  axbenchPath: pathOption(
    "AxBench's folder of a concept set (CONCEPT10): its concepts, none of its texts in the corpus.",
  ),
  format: formatOption,
  train: { type: 'integer', minimum: 1, maximum: 10000, default: 72, description: 'Training items of a class.' },
  eval: { type: 'integer', minimum: 1, maximum: 10000, default: 36, description: 'Evaluation items of a class.' },
  words: {
    type: 'integer',
    minimum: 16,
    maximum: 100000,
    default: 96,
    description: 'Documents are cut into passages of at most that many words, at the ends of sentences.',
  },
};

/** A labelled text is in the corpus or shows its class, never both. */
const inCorpus = (text: string) =>
  useOf(`corpus ${text}`, [['corpus', 8] as const, ['concepts', 8] as const]) === 'corpus';

/**
 * Documents each once and without those that show a class: a file of the corpus may hold them too. White space does not
 * count; passages have none of it.
 */
function withoutTexts(documents: readonly string[], texts: readonly string[]): string[] {
  const spaced = (text: string) => text.split(/\s+/).filter(Boolean).join(' ');
  const seen = new Set(texts.map(spaced));
  return documents.filter((document) => {
    const key = spaced(document);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Pairs as the source of a concept has them. */
const PAIRS: TextPairing = {
  description: `AG News, SST-2: ${LABELLED_PAIRS.description}; AxBench: ${AXBENCH_PAIRS.description}`,
  partners(set, concept) {
    const negatives = set.examples.filter(
      (each) => each.concept === concept && each.split === 'eval' && each.role === 'negative',
    );
    const ofAxbench = set.concepts[concept]!.id.startsWith('axbench-');
    return ofAxbench ? AXBENCH_PAIRS.partners!(set, concept) : negatives.map(({ item }) => item);
  },
};

/** The corpus comes in an order of its own (by the seed), so that its beginning has every source in it. */
export default defineDataset<Options>({
  id: 'natural-text',
  title: 'Natural text of several files, with concepts of AG News, SST-2 and AxBench',
  version: 1,
  modality: 'text',
  options: OPTIONS,
  async open(options, context): Promise<Dataset> {
    const { seed } = context;
    const { train, eval: held, words } = options;
    const search = { dataset: 'natural-text', context };
    const sources = await findDocuments(search, 'corpus', options.corpus);
    const labelled: (Labelled & Source)[] = [];
    for (const set of LABELLED.filter(({ option }) => options[option] !== undefined)) {
      labelled.push({ ...set, ...(await findData(search, set.option, options[set.option])) });
    }
    const tables =
      options.axbenchPath === undefined ? undefined : await axbenchTables(search, 'axbenchPath', options.axbenchPath);
    if (sources.length + labelled.length === 0) {
      throw new UserError(
        "dataset natural-text: expected files under 'corpus', or 'agnewsPath' or 'sst2Path'; found none.",
      );
    }
    const format = tables ? await conversationFormat(options.format, context) : undefined;
    const files = [
      ...(await Promise.all(sources.map(async ({ path, field }) => [await sha256File(path), field]))),
      ...(await Promise.all(labelled.map(async ({ path, id }) => [await sha256File(path), id]))),
      ...(tables ? [await sha256File(tables.train), await sha256File(tables.evaluation)] : []),
    ];
    const read = memo(async () => Promise.all(labelled.map(({ read: texts, path }) => texts(path))));
    const documents = async () => {
      const all = await Promise.all(sources.map(({ path, field }) => readDocuments(path, field)));
      const texts = (await read()).flat().map(({ text }) => text);
      const shuffled = createRng(seed)
        .fork('natural-text corpus')
        .shuffle([...all.flat(), ...texts.filter(inCorpus)]);
      return withoutTexts(
        shuffled,
        texts.filter((text) => !inCorpus(text)),
      );
    };
    const conceptSet = async (limits: { concepts?: number; perClass?: number }): Promise<ConceptSet> => {
      const texts = await read();
      const sets = labelled.map(({ id, classes }, i) => {
        const own = texts[i]!.filter(({ text }) => !inCorpus(text));
        return {
          id,
          set: labelledConcepts(
            'natural-text',
            own,
            classes,
            { train, eval: held },
            { perClass: limits.perClass },
            seed,
          ),
        };
      });
      if (tables && format) {
        const { perClass } = limits;
        sets.push({ id: 'axbench', set: await axbenchConcepts(tables, false, format, { perClass }) });
      }
      return joinedConcepts(sets, limits.concepts);
    };
    return {
      id: 'natural-text',
      modality: 'text',
      fingerprint: sha256Json({ files, train, held, words, seed, format: format?.digest }),
      notes: [
        ...sourceNotes([...sources, ...labelled, ...(tables ? [tables.source] : [])]),
        ...(format ? [format.description] : []),
      ],
      ...documentCorpus('natural-text', documents, (document) => passagesOf(document, words)),
      ...(labelled.length > 0 || tables ? { concepts: rememberSets(conceptSet), pairing: PAIRS } : {}),
    };
  },
});

function memo<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
