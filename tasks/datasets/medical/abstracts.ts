/** @file Medical-Abstracts: abstracts of five groups of conditions; some are read whole, some give sentences, some are trained on. */
import { type Concept, UserError } from '../../../harness/contract.ts';
import { readCsvRecords } from '../../../harness/kit/index.ts';
import { isTable, rowsOf } from '../parts/labelled-table.ts';
import { useOf } from '../parts/partition.ts';
import { passagesOf } from '../parts/passages.ts';
import { type MedicalSet, type MedicalText, splitOf } from './labelled.ts';

/** The classes, 1 to 5 in the file. The fifth holds what the other four do not. */
const CONDITIONS = [
  { name: 'neoplasms', synonyms: ['neoplasm', 'cancer', 'tumor', 'tumour', 'carcinoma'] },
  { name: 'digestive system diseases', synonyms: ['digestive system disease', 'gastric', 'bowel', 'liver'] },
  { name: 'nervous system diseases', synonyms: ['nervous system disease', 'neurologic', 'cerebral', 'brain'] },
  { name: 'cardiovascular diseases', synonyms: ['cardiovascular disease', 'heart', 'coronary', 'cardiac'] },
  { name: 'general pathological conditions', synonyms: [] },
] as const;

/** One abstract with the place of its class. */
export interface ConditionAbstract {
  text: string;
  label: number;
  /** Its line, which names it in groups. */
  id: string;
}

export async function readAbstracts(path: string): Promise<ConditionAbstract[]> {
  const abstracts = new Map<string, ConditionAbstract>();
  let row = 0;
  // The authors' CSV, or their table on the hub: the same columns.
  const rows = isTable(path) ? rowsOf(path) : readCsvRecords(path, ['condition_label', 'medical_abstract']);
  for await (const entry of rows) {
    row += 1;
    const record = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
    const label = Number(record['condition_label']);
    const text = String(record['medical_abstract'] ?? '')
      .replace(/\s+/g, ' ')
      .trim();
    if (!(Number.isInteger(label) && label >= 1 && label <= CONDITIONS.length) || text === '') {
      throw new UserError(
        `dataset medical: ${path}: row ${row}: expected a condition_label from 1 to ${CONDITIONS.length} and a medical_abstract; ` +
          `found '${record['condition_label']}' and ${text.length} characters.`,
      );
    }
    // Each once; the set has some under two classes, which say nothing of either.
    abstracts.set(text, { text, label: label - 1, id: `abstract-${row}` });
  }
  return [...abstracts.values()];
}

/** What an abstract is for: to train on, to show its condition, or to be parted into sentences. */
export const useOfAbstract = (text: string): 'corpus' | 'conditions' | 'sentences' =>
  useOf(`medical ${text}`, [
    ['corpus', 6],
    ['conditions', 4],
    ['sentences', 6],
  ] as const);

export function conditions(abstracts: readonly ConditionAbstract[], words: number): MedicalSet {
  const idOf = (label: number) => `condition-${CONDITIONS[label]!.name.replaceAll(' ', '-')}`;
  const concepts = CONDITIONS.map(
    ({ name, synonyms }, label): Concept => ({
      ...{ id: idOf(label), label: name, synonyms, domain: 'conditions', deniable: false },
      prevalence: { positives: abstracts.filter((each) => each.label === label).length, labelled: abstracts.length },
    }),
  );
  const texts = abstracts
    .filter(({ text }) => useOfAbstract(text) === 'conditions')
    .flatMap(({ text, label, id }): MedicalText[] => {
      const [start] = passagesOf(text, words);
      const shows = [idOf(label)];
      return start === undefined
        ? []
        : [{ item: { id, text: start, concepts: shows, group: id }, split: splitOf(text), shows }];
    });
  return { concepts, texts };
}
