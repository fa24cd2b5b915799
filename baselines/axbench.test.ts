/** @file The null rows on real AxBench data, against the AUROCs of scikit-learn in ../shared/data/README.md. */
import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptExample, ConceptSet, FittedMethod, Item } from '../harness/contract.ts';
import { readParquet } from '../harness/io/parquet.ts';
import { auroc, createRng } from '../harness/kit/index.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import bow from './bow.ts';
import length from './length.ts';

const test = suite('baselines/axbench');
const FOLDER = '../shared/data/axbench/concept10_2b_l20';

interface Row {
  input: string;
  output: string;
  category: string;
  concept_genre: string;
  concept_id: number;
}

function toItem({ input, output }: Row, i: number): Item {
  const head = `<bos><start_of_turn>user\n${input}<end_of_turn>\n<start_of_turn>model\n`;
  return { id: `${i}`, text: head + output, responseStart: head.length };
}

/** CONCEPT10; negatives of the concept's own genre, or all of them. */
async function concept10(allNegatives: boolean): Promise<ConceptSet> {
  const trainRows = (await readParquet(`${FOLDER}/generate/train_data.parquet`)) as unknown as Row[];
  const evalRows = (await readParquet(`${FOLDER}/inference/latent_eval_data.parquet`)) as unknown as Row[];
  const examples: ConceptExample[] = [];
  const concepts = Array.from({ length: 10 }, (_, id) => ({ id: `${id}`, label: `${id}` }));
  concepts.forEach((_, concept) => {
    const genre = trainRows.find(({ concept_id }) => concept_id === concept)!.concept_genre;
    trainRows.forEach((row, item) => {
      if (row.concept_id === concept) examples.push({ concept, item, split: 'train', role: 'positive' });
      const shared = row.concept_id === -1 && (allNegatives || row.concept_genre === genre);
      if (shared) examples.push({ concept, item, split: 'train', role: 'negative' });
    });
    evalRows.forEach((row, i) => {
      if (row.concept_id !== concept) return;
      const role = row.category.replace(' ', '-') as ConceptExample['role'];
      examples.push({ concept, item: trainRows.length + i, split: 'eval', role });
    });
  });
  return { concepts, items: [...trainRows, ...evalRows].map(toItem), examples };
}

/** Mean AUROC over the concepts, without and with hard negatives. */
function meanAuroc(set: ConceptSet, method: FittedMethod): [number, number] {
  const totals: [number, number] = [0, 0];
  set.concepts.forEach((concept, c) => {
    const { scoreItem } = method.detector!(concept)!;
    [false, true].forEach((hard, i) => {
      const used = set.examples.filter(
        ({ concept: own, split, role }) => own === c && split === 'eval' && (hard || role !== 'hard-negative'),
      );
      const scores = used.map(({ item }) => scoreItem!(set.items[item]!));
      totals[i as 0 | 1] +=
        auroc(
          scores,
          used.map(({ role }) => role === 'positive'),
        )! / set.concepts.length;
    });
  });
  return totals;
}

async function fitBow(set: ConceptSet): Promise<FittedMethod> {
  const activations = memoryActivations(set.items.map(() => [[0]]));
  const labelled = memoryLabelled(set, activations);
  const options = { c: 100 };
  const state = await bow.fit({ options, rng: createRng(0), activations, labelled, site: 's', progress: () => {} });
  return bow.restore(state, { d_in: 1, options });
}

if (existsSync(FOLDER)) {
  test('bag of words gives the published AUROCs within 0.005', async () => {
    for (const [allNegatives, expected] of [
      [false, [0.9579, 0.9563]],
      [true, [0.9794, 0.9759]],
    ] as const) {
      const set = await concept10(allNegatives);
      const found = meanAuroc(set, await fitBow(set));
      console.log(
        `bow on CONCEPT10, ${allNegatives ? 'all' : 'own'} negatives: ${found.map((v) => v.toFixed(4)).join(' ')}`,
      );
      expected.forEach((value, i) => {
        assert.ok(Math.abs(found[i]! - value) < 0.005, `${found[i]} is not ${value}`);
      });
    }
  });

  test('output length alone gives 0.778', async () => {
    const set = await concept10(false);
    const method = length.restore({ tensors: {} }, { d_in: 1, options: {} });
    const [found] = meanAuroc(set, method);
    assert.ok(Math.abs(found - 0.778) < 0.0005, `${found}`);
  });
} else {
  console.log(`skipped: ${FOLDER} is absent`);
}

test.run();
