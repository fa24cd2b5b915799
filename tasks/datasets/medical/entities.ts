/** @file Sentences with marked entities (BIO tags): concepts whose very words are known. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Concept, type ConceptSpan, type Split, UserError } from '../../../harness/contract.ts';
import { MAX_TEXT_BYTES, readTar, readText, sha256, sha256Json } from '../../../harness/kit/index.ts';
import type { FileSets } from '../parts/files.ts';
import type { MedicalSet, MedicalText } from './labelled.ts';

/** A kind of entity, with the corpora that mark it. */
interface Kind {
  id: string;
  label: string;
  synonyms: readonly string[];
  parent?: string;
  deniable?: boolean;
}

const KINDS = {
  Disease: {
    id: 'entity-disease',
    label: 'disease',
    synonyms: ['disease', 'syndrome', 'cancer', 'disorder'],
    deniable: true,
  },
  Chemical: { id: 'entity-chemical', label: 'chemical or drug', synonyms: ['drug', 'drugs', 'treated with'] },
  Anatomy: {
    id: 'entity-anatomy',
    label: 'anatomical entity',
    synonyms: ['anatomy', 'organ', 'tissue', 'cells', 'muscle'],
  },
  Cell: { id: 'entity-cell', label: 'cell', synonyms: ['cell', 'cells'], parent: 'entity-anatomy' },
  Cancer: {
    id: 'entity-cancer',
    label: 'cancer',
    synonyms: ['cancer', 'tumor', 'tumour', 'carcinoma'],
    parent: 'entity-anatomy',
    deniable: true,
  },
  'Multi-tissue_structure': {
    id: 'entity-multi-tissue-structure',
    label: 'multi-tissue structure',
    synonyms: ['vessels', 'muscle', 'artery'],
    parent: 'entity-anatomy',
  },
  Organ: {
    id: 'entity-organ',
    label: 'organ',
    synonyms: ['organ', 'liver', 'brain', 'lung', 'kidney'],
    parent: 'entity-anatomy',
  },
} as const satisfies Record<string, Kind>;

type Tag = keyof typeof KINDS;

/** Corpora of which all entities of these kinds are marked. */
const CORPORA: Record<string, readonly Tag[]> = {
  'BC5CDR-IOB': ['Disease', 'Chemical'],
  'NCBI-disease-IOB': ['Disease'],
  // Before AnatEM, which has its documents too and one kind for all.
  'BioNLP13CG-IOB': ['Cell', 'Cancer', 'Multi-tissue_structure', 'Organ'],
  'AnatEM-IOB': ['Anatomy'],
};
/** Corpora that no concept is from: their sentences are trained on. */
const FOR_TRAINING = ['BC2GM-IOB', 'linnaeus-IOB'];
/** The authors' own split, by documents. */
const FILES: readonly [file: string, split: Split][] = [
  ['train.tsv', 'train'],
  ['test.tsv', 'eval'],
];

/** The files that are read of a folder of corpora: at its top, or where the authors' repository has them. */
const ENTITY_FILES: FileSets = ['', 'data/'].map((prefix) => [
  ...Object.keys(CORPORA).flatMap((corpus) => FILES.map(([file]) => `${prefix}${corpus}/${file}`)),
  ...FOR_TRAINING.map((corpus) => `${prefix}${corpus}/train.tsv`),
]);

/** By its name, with the revision of a place elsewhere. */
const isArchive = (path: string) => /\.(tar|tgz|tar\.gz)(@[^@/]*)?$/.test(path);

/** What has to lie at such a place. */
export const entityFiles = (path: string): FileSets | undefined => (isArchive(path) ? undefined : ENTITY_FILES);

/** A digest of all that is read, the same of the archive as of a folder. */
export async function entitiesDigest(path: string): Promise<string> {
  const contentOf = await filesOf(path);
  const contents = ENTITY_FILES[0]!.map((file) => contentOf(...(file.split('/') as [string, string])));
  return sha256Json((await Promise.all(contents)).map(sha256));
}

/** Sentences of fewer or more words are headings and lists. */
const [LEAST_WORDS, MOST_WORDS] = [8, 60];

interface Sentence {
  text: string;
  marks: { start: number; end: number; tag: string }[];
}

/** Punctuation that stands without a space before it, and after it. */
const [CLINGS, OPENS] = [/^[.,;:)\]%'’/-]/, /[([/'’-]$/];

/** Sentences of a BIO file as text again: its tokens with a space between them, but for punctuation. */
function sentencesOf(content: string, path: string): Sentence[] {
  const sentences: Sentence[] = [];
  let current: Sentence = { text: '', marks: [] };
  const end = () => {
    if (current.text !== '') sentences.push(current);
    current = { text: '', marks: [] };
  };
  for (const [i, line] of content.split(/\r?\n/).entries()) {
    if (line.trim() === '') {
      end();
      continue;
    }
    const [token, tag] = line.split('\t');
    if (!token || !/^(O|[BI]-.+)$/.test(tag ?? '')) {
      throw new UserError(
        `dataset medical: ${path}: line ${i + 1}: expected a token and a tag (O, B-…, I-…); found '${line.slice(0, 60)}'.`,
      );
    }
    const space = current.text === '' || CLINGS.test(token) || OPENS.test(current.text) ? '' : ' ';
    const start = current.text.length + space.length;
    current.text += space + token;
    const last = current.marks.at(-1);
    const kind = tag!.slice(2);
    if (tag!.startsWith('B-')) current.marks.push({ start, end: current.text.length, tag: kind });
    else if (tag!.startsWith('I-') && last?.tag === kind) last.end = current.text.length;
  }
  end();
  return sentences.filter(({ text }) => {
    const words = text.split(' ').length;
    return words >= LEAST_WORDS && words <= MOST_WORDS;
  });
}

/** The corpora of a folder, or of the archive as it is published. */
async function filesOf(path: string): Promise<(corpus: string, file: string) => Promise<string>> {
  const missing = (name: string) => new UserError(`dataset medical: ${path}: expected ${name}; found none.`);
  if (isArchive(path)) {
    const found = await readTar(path, (name) => name.endsWith('.tsv'));
    return async (corpus, file) => {
      const name = [...found.keys()].find((each) => each.endsWith(`${corpus}/${file}`));
      if (name === undefined) throw missing(`${corpus}/${file}`);
      return found.get(name)!;
    };
  }
  const isWhole = (folder: string) => ENTITY_FILES[0]!.every((file) => existsSync(join(folder, file)));
  const folder = [path, join(path, 'data')].find(isWhole) ?? path;
  return async (corpus, file) => {
    const place = join(folder, corpus, file);
    if (!existsSync(place)) throw missing(`${corpus}/${file}`);
    return readText(place, 'dataset medical', MAX_TEXT_BYTES);
  };
}

const CONCEPTS = Object.values(KINDS).map(
  (kind: Kind): Concept => ({ domain: 'entities', ...kind, deniable: kind.deniable ?? false }),
);

export async function readEntities(path: string): Promise<{ set: MedicalSet; corpus: string[] }> {
  const contentOf = await filesOf(path);
  const texts = new Map<string, MedicalText>();
  for (const [corpus, tags] of Object.entries(CORPORA)) {
    const known = tags.map((tag) => KINDS[tag].id as string);
    for (const [file, split] of FILES) {
      const sentences = sentencesOf(await contentOf(corpus, file), `${path}: ${corpus}/${file}`);
      for (const [i, { text, marks }] of sentences.entries()) {
        // A sentence of two corpora or of both splits is taken where it comes first.
        if (texts.has(text)) continue;
        const own = marks.flatMap(({ start, end, tag }) => {
          const kind: Kind | undefined = tags.includes(tag as Tag) ? KINDS[tag as Tag] : undefined;
          const concepts = kind ? [kind.id, ...(kind.parent === undefined ? [] : [kind.parent])] : [];
          return concepts.map((concept): ConceptSpan => ({ start, end, concept }));
        });
        const shows = [...new Set(own.map(({ concept }) => concept))];
        const unknown = CONCEPTS.map(({ id }) => id).filter((id) => !known.includes(id) && !shows.includes(id));
        const item = {
          id: `${corpus}-${split}-${i}`,
          text,
          spans: own,
          concepts: shows,
          unknown,
          covariates: { corpus },
        };
        texts.set(text, { item, split, shows });
      }
    }
  }
  const all = [...texts.values()];
  const concepts = CONCEPTS.map((concept) => {
    const labelled = all.filter(({ item }) => !item.unknown!.includes(concept.id));
    const positives = labelled.filter(({ shows }) => shows.includes(concept.id)).length;
    return { ...concept, prevalence: { positives, labelled: labelled.length } };
  });
  const corpus: string[] = [];
  for (const name of FOR_TRAINING) {
    const own = sentencesOf(await contentOf(name, 'train.tsv'), `${path}: ${name}/train.tsv`);
    corpus.push(...own.map(({ text }) => text).filter((text) => !texts.has(text)));
  }
  return { set: { concepts, texts: all }, corpus };
}
