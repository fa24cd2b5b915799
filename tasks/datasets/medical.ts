/** @file Medical texts with concepts of four kinds: MeSH terms, conditions, marked entities, and words with a sense outside of medicine. */
import { type ConceptSet, type Dataset, defineDataset, type OptionsSchema, UserError } from '../../harness/contract.ts';
import { createRng, sha256File, sha256Json } from '../../harness/kit/index.ts';
import { conditions, readAbstracts, useOfAbstract } from './medical/abstracts.ts';
import { entitiesDigest, entityFiles, readEntities } from './medical/entities.ts';
import { addExamples, type MedicalSet, wellShown } from './medical/labelled.ts';
import { polysemes } from './medical/polysemes.ts';
import { readPubMedQa } from './medical/pubmedqa.ts';
import { readAgNews } from './parts/agnews-texts.ts';
import { conceptSetBuilder, rememberSets } from './parts/concept-set-builder.ts';
import { documentCorpus } from './parts/document-corpus.ts';
import { type DocumentFiles, documentFiles, findDocuments } from './parts/document-files.ts';
import { readDocuments } from './parts/documents.ts';
import { findData, type PathOption, pathOption, type SetsOf, type Source, sourceNotes } from './parts/files.ts';
import { passagesOf } from './parts/passages.ts';
import { spreadOverDomains } from './parts/spread.ts';

interface Options {
  pubmedqaPath?: PathOption;
  abstractsPath?: PathOption;
  entitiesPath?: PathOption;
  general: DocumentFiles;
  agnewsPath?: PathOption;
  train: number;
  eval: number;
  words: number;
}

const OPTIONS: OptionsSchema = {
  pubmedqaPath: pathOption('PubMedQA (ori_pqal.json, or the table of the hub): abstracts with MeSH terms.'),
  abstractsPath: pathOption(
    'Medical-Abstracts (CSV, or the table of the hub, of condition_label and medical_abstract): 3/8 are trained on, 1/4 show conditions, 3/8 senses.',
  ),
  entitiesPath: pathOption(
    'The bio-NER corpora in BIO form: the archive mtl-bioner-iob.tar.gz, or a folder of them, as cambridgeltl/MTL-Bioinformatics-2016 has it.',
  ),
  general: documentFiles('Files of general texts, in whose sentences clinical words have another sense'),
  agnewsPath: pathOption('AG News (CSV): further general texts.'),
  train: { type: 'integer', minimum: 6, maximum: 10000, default: 72, description: 'Training items of a class.' },
  eval: { type: 'integer', minimum: 6, maximum: 10000, default: 60, description: 'Evaluation items of a class.' },
  words: {
    type: 'integer',
    minimum: 16,
    maximum: 10000,
    default: 128,
    description: 'Words of an abstract that are kept, from its beginning to the end of a sentence.',
  },
};

export default defineDataset<Options>({
  id: 'medical',
  title: 'Medical texts: MeSH terms, conditions, entities and clinical senses of words',
  paper:
    'Jin et al. 2019 (PubMedQA), arXiv:1909.06146; Schopf et al. 2022 (Medical-Abstracts); Crichton et al. 2017 (bio-NER)',
  version: 1,
  modality: 'text',
  options: OPTIONS,
  async open(options, context): Promise<Dataset> {
    const { seed } = context;
    const { words } = options;
    const search = { dataset: 'medical', context };
    const find = async (option: string, value: PathOption | undefined, setsOf?: SetsOf) =>
      value === undefined ? undefined : findData(search, option, value, setsOf);
    const pubmedqa = await find('pubmedqaPath', options.pubmedqaPath);
    const abstracts = await findData(search, 'abstractsPath', options.abstractsPath);
    const entities = await find('entitiesPath', options.entitiesPath, entityFiles);
    const agnews = await find('agnewsPath', options.agnewsPath);
    const general = await findDocuments(search, 'general', options.general);
    const sources = [pubmedqa, abstracts, entities, agnews, ...general].filter((source) => source !== undefined);
    const digest = (source: Source) => (source === entities ? entitiesDigest : sha256File)(source.path);
    const files = await Promise.all(sources.map(digest));

    let read: Promise<{ sets: MedicalSet[]; corpus: string[] }> | undefined;
    const all = () => {
      read ??= (async () => {
        const rows = await readAbstracts(abstracts.path);
        const marked = entities && (await readEntities(entities.path));
        const news = agnews ? (await readAgNews(agnews.path)).map(({ text }) => text) : [];
        const plain = await Promise.all(general.map(({ path, field }) => readDocuments(path, field)));
        const sets = [
          ...(pubmedqa ? [await readPubMedQa(pubmedqa.path, words)] : []),
          conditions(rows, words),
          ...(marked ? [marked.set] : []),
          ...(agnews || general.length > 0 ? [polysemes(rows, [...news, ...plain.flat()])] : []),
        ];
        const ownTexts = new Set(sets.flatMap(({ texts }) => texts.map(({ item }) => item.text!)));
        const documents = [
          ...rows.filter(({ text }) => useOfAbstract(text) === 'corpus').map(({ text }) => text),
          ...(marked?.corpus ?? []),
        ];
        return { sets, corpus: documents.filter((text) => !ownTexts.has(text)) };
      })();
      return read;
    };
    const conceptSet = async (limits: { concepts?: number; perClass?: number }): Promise<ConceptSet> => {
      const { sets } = await all();
      const chosen = spreadOverDomains(sets.flatMap(wellShown), limits.concepts);
      if (chosen.length === 0) {
        throw new UserError(
          'dataset medical: expected a concept with examples in both splits, found none; give it whole files.',
        );
      }
      const builder = conceptSetBuilder(chosen);
      const sizes = {
        train: Math.min(options.train, limits.perClass ?? options.train),
        eval: Math.min(options.eval, limits.perClass ?? options.eval),
      };
      const placeOf = (id: string) => {
        const place = chosen.findIndex((concept) => concept.id === id);
        return place < 0 ? undefined : place;
      };
      for (const set of withUnknown(sets)) addExamples(builder, set, placeOf, sizes, seed);
      return builder.build();
    };
    const shuffled = async () =>
      createRng(seed)
        .fork('medical corpus')
        .shuffle([...(await all()).corpus]);
    return {
      id: 'medical',
      modality: 'text',
      fingerprint: sha256Json({ files, train: options.train, held: options.eval, words, seed }),
      notes: sourceNotes(sources),
      ...documentCorpus('medical', shuffled, (document) => passagesOf(document, words)),
      concepts: rememberSets(conceptSet),
    };
  },
});

/** Of the concepts of other sets nobody looked whether an item shows them. */
function withUnknown(sets: readonly MedicalSet[]): MedicalSet[] {
  return sets.map((set) => {
    const foreign = sets.filter((other) => other !== set).flatMap(({ concepts }) => concepts.map(({ id }) => id));
    const texts = set.texts.map((text) => {
      const { unknown = [] } = text.item;
      return { ...text, item: { ...text.item, unknown: unknown.length === 0 ? foreign : [...unknown, ...foreign] } };
    });
    return { ...set, texts };
  });
}
