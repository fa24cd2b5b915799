/**
 * @file starter: texts of a CSV file with the columns text and label, `--dataset-option path=starter.csv`. Labels are
 * concepts; rows without one are what SAEs are trained on.
 */
import { resolve } from 'node:path';
import { type ConceptExample, type Dataset, defineDataset, type Item, UserError } from 'saxbench';
import { readCsvRecords, sha256File } from 'saxbench/kit';

interface Options {
  path: string;
}

/** Of every four unlabelled rows one is held out, and every second row of a label. */
const HELD_OUT = { unlabelled: 4, labelled: 2 };

/** Texts by label, '' for those without: each text once, in the file's order. */
async function readTexts(path: string): Promise<Map<string, string[]>> {
  const texts = new Map<string, string[]>();
  const seen = new Set<string>();
  for await (const { text = '', label = '' } of readCsvRecords(path, ['text', 'label'])) {
    if (text.trim() === '' || seen.has(text)) continue;
    seen.add(text);
    texts.set(label, [...(texts.get(label) ?? []), text]);
  }
  return texts;
}

async function open({ path }: Options, { baseDir }: { baseDir: string }): Promise<Dataset> {
  const file = resolve(baseDir, path);
  const texts = await readTexts(file);
  const unlabelled = texts.get('') ?? [];
  const labels = [...texts.keys()].filter((label) => label !== '').sort();
  if (unlabelled.length < HELD_OUT.unlabelled || labels.length < 2)
    throw new UserError(
      `dataset starter: ${path}: expected ${HELD_OUT.unlabelled} rows or more without a label and two labels or more; ` +
        `found ${unlabelled.length} and ${labels.length}.`,
    );
  return {
    id: 'starter', // as the file is named
    modality: 'text',
    // Changes whenever the content does: results of another file are others.
    fingerprint: await sha256File(file),
    // Texts without regard to concepts. What is trained on, tested on and labelled is never the same.
    async corpus(split, n) {
      const held = (i: number) => i % HELD_OUT.unlabelled === 0;
      const own = unlabelled.filter((_, i) => held(i) === (split === 'test'));
      return own.slice(0, n).map((text, i): Item => ({ id: `${split}-${i}`, text }));
    },
    // A concept a label; its negatives are the texts of the next label.
    async concepts({ concepts: most, perClass }) {
      const chosen = labels.slice(0, most);
      const items: Item[] = [];
      const placeOf = new Map<string, number>();
      const examples: ConceptExample[] = [];
      const add = (concept: number, label: string, role: ConceptExample['role']) => {
        for (const split of ['train', 'eval'] as const) {
          const held = (i: number) => i % HELD_OUT.labelled === 0;
          const own = texts.get(label)!.filter((_, i) => held(i) === (split === 'eval'));
          for (const text of own.slice(0, perClass)) {
            const item = placeOf.get(text) ?? items.length;
            if (item === items.length) items.push({ id: `item-${item}`, text, labels: { label }, concepts: [label] });
            placeOf.set(text, item);
            examples.push({ concept, item, split, role });
          }
        }
      };
      for (const [concept, label] of chosen.entries()) {
        add(concept, label, 'positive');
        add(concept, labels[(labels.indexOf(label) + 1) % labels.length]!, 'negative');
      }
      return { concepts: chosen.map((label) => ({ id: label, label })), items, examples };
    },
  };
}

export default defineDataset<Options>({
  id: 'starter',
  title: 'starter: labelled texts of a CSV file',
  version: 1, // raise it when the same file gives other items
  modality: 'text',
  options: {
    path: {
      type: 'string',
      default: 'starter.csv',
      description: 'The file; relative to the suite, or the current folder.',
    },
  },
  open,
});
