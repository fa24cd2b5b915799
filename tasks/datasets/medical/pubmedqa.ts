/** @file PubMedQA: a thousand PubMed abstracts with their MeSH terms, of which those are concepts that are neither rare nor everywhere. */
import { type Concept, UserError } from '../../../harness/contract.ts';
import { readJson, readParquet } from '../../../harness/kit/index.ts';
import { passagesOf } from '../parts/passages.ts';
import { type MedicalSet, type MedicalText, slug, splitOf } from './labelled.ts';
import { MESH } from './mesh.ts';

/** Abstracts that show a term which is a concept: of fewer nothing is learnt, of more nothing is told. */
const [LEAST, MOST] = [25, 400];

interface Abstract {
  id: string;
  /** Title, a question, and the abstract without its conclusion. */
  text: string;
  terms: string[];
  year?: number;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');

/** An entry of the published file or a row of the hub's table. */
function abstractOf(id: string, entry: unknown, path: string): Abstract {
  const row = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
  const context = (row['context'] ?? {}) as Record<string, unknown>;
  const [question, texts, terms] = [
    row['QUESTION'] ?? row['question'],
    row['CONTEXTS'] ?? context['contexts'],
    row['MESHES'] ?? context['meshes'],
  ];
  if (typeof question !== 'string' || !isTexts(texts) || !isTexts(terms)) {
    throw new UserError(
      `dataset medical: ${path}: entry ${id}: expected a question, a list of contexts and a list of MeSH terms; found ` +
        `${typeof question}, ${typeof texts} and ${typeof terms}.`,
    );
  }
  const year = Number(row['YEAR']);
  return {
    id: String(row['pubid'] ?? id),
    text: `${question} ${texts.join(' ')}`.replace(/\s+/g, ' ').trim(),
    terms,
    ...(Number.isInteger(year) && year > 0 ? { year } : {}),
  };
}

/** @param words Of each abstract that are kept. */
export async function readPubMedQa(path: string, words: number): Promise<MedicalSet> {
  const rows = path.endsWith('.parquet')
    ? (await readParquet(path)).map((row, i) => abstractOf(String(i), row, path))
    : Object.entries((await readJson(path, 'dataset medical')) as object).map(([id, row]) => abstractOf(id, row, path));
  const idOf = (term: string) => `mesh-${slug(term)}`;
  const shownBy = new Map<string, Set<string>>();
  const shows = rows.map(({ id, terms }) => {
    // What shows a kind shows what it is a kind of; indexers give the narrowest.
    const all = new Set(terms);
    for (const term of all) if (MESH[term]?.parent !== undefined) all.add(MESH[term].parent);
    for (const term of all) shownBy.set(term, (shownBy.get(term) ?? new Set()).add(id));
    return all;
  });
  const terms = [...shownBy].filter(([, { size }]) => size >= LEAST && size <= MOST).map(([term]) => term);
  const concepts = terms.sort().map((term): Concept => {
    const { synonyms, parent, deniable = false } = MESH[term] ?? {};
    return {
      ...{ id: idOf(term), label: term, domain: 'MeSH', deniable },
      prevalence: { positives: shownBy.get(term)!.size, labelled: rows.length },
      ...(synonyms ? { synonyms } : {}),
      ...(parent === undefined ? {} : { parent: idOf(parent) }),
    };
  });
  const texts = rows.flatMap(({ id, text, year }, i): MedicalText[] => {
    const [start] = passagesOf(text, words);
    if (start === undefined) return [];
    const own = [...shows[i]!].filter((term) => terms.includes(term)).map(idOf);
    const covariates = year === undefined ? {} : { covariates: { year } };
    return [
      { item: { id: `pubmedqa-${id}`, text: start, concepts: own, ...covariates }, split: splitOf(text), shows: own },
    ];
  });
  return { concepts, texts };
}
