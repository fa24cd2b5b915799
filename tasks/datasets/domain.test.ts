/** @file Domains as datasets: unknown labels, disjoint parts, groups and covariates; a domain of law and one of images. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptSet, Dataset } from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';
import { packageRoot } from '../../harness/paths.ts';
import { csv, withDomain } from '../../harness/testing/domain-folder.ts';
import { refusal } from '../../harness/testing/failing.ts';
import { joinTexts } from '../concept-detection/joined.ts';
import { conceptSplits } from '../concept-detection/splits.ts';
import domain from './domain.ts';
import images from './domain-images.ts';

const test = suite('datasets/domain');

/** Clauses of contracts made by a rule: what is true of each is known; of a third of the pairs nobody says it. */
const CONCEPTS = ['indemnity', 'termination', 'confidentiality'] as const;
const PHRASES = {
  indemnity: ['shall hold the other harmless', 'shall indemnify the buyer'],
  termination: ['may end this agreement on notice', 'ends on the last day of March'],
  confidentiality: ['shall keep the terms secret', 'must not disclose the price'],
};

function lawTable(n: number): { text: string; truth: Map<string, Set<string>> } {
  const rng = createRng('law');
  const truth = new Map<string, Set<string>>();
  const name = () => Array.from({ length: 3 }, () => rng.choice(['bar', 'lo', 'min', 'te', 'vus', 'kor'])).join('');
  const rows = Array.from({ length: n }, (_, i) => {
    const shown = CONCEPTS.filter(() => rng.uniform() < 0.35);
    const parts = shown.map((name) => `The party ${rng.choice(PHRASES[name])}.`);
    truth.set(`c${i}`, new Set(shown));
    const cells = CONCEPTS.map((name) => (rng.uniform() < 1 / 3 ? '' : Number(shown.includes(name))));
    return [
      `c${i}`,
      `${name()} and ${name()} of ${name()} agree. ${parts.join(' ')} Signed by both.`,
      `contract ${Math.floor(i / 4)}`,
      1990 + (i % 30),
      ...cells,
    ];
  });
  return { text: csv([['id', 'text', 'group_id', 'year', ...CONCEPTS], ...rows]), truth };
}

const LAW = lawTable(240);
const FILES = {
  'examples.csv': LAW.text,
  'suite.json': '{ "covariates": ["year"] }',
  'concepts.csv': csv([
    ['name', 'synonyms', 'parent'],
    ['duty', '', ''],
    ['indemnity', 'hold harmless; indemnify', 'duty'],
    ['termination', '', ''],
    ['confidentiality', '', 'duty'],
  ]),
};
const OPTIONS = { train: 200, eval: 200, testShare: 0.4, prompts: 0 };
const open = (path: string, options: Partial<typeof OPTIONS> = {}, seed = 0): Promise<Dataset> =>
  domain.open({ ...OPTIONS, ...options, path }, { seed, baseDir: '/' });

/** Whether each example's label is what the rule says. */
function checkTruth(set: ConceptSet): void {
  for (const { concept, item, role } of set.examples) {
    const shown = LAW.truth.get(set.items[item]!.id)!.has(set.concepts[concept]!.id);
    assert.is(shown, role === 'positive');
  }
}

test('a domain of law: labels are the rule’s, blank ones are in neither class, parts are disjoint by contract', async () => {
  await withDomain(FILES, async (folder) => {
    const law = await open(folder);
    const set = await law.concepts!({});
    assert.equal(
      set.concepts.map(({ id }) => id),
      [...CONCEPTS],
    );
    checkTruth(set);
    const { examples, items } = set;
    // Every known label stands there once.
    const known = FILES['examples.csv'].match(/"[01]"/g)!.length;
    assert.is(examples.length, known);
    assert.equal(set.concepts[0]!.synonyms, ['hold harmless', 'indemnify']);
    // `duty` has no column: it is no concept of the set, and nobody's parent there.
    assert.is(set.concepts[0]!.parent, undefined);
    const { positives, labelled } = set.concepts[0]!.prevalence!;
    assert.is(labelled, examples.filter(({ concept }) => concept === 0).length);
    assert.is(positives, examples.filter(({ concept, role }) => concept === 0 && role === 'positive').length);
    const [train, held] = [await law.corpus('train', 1000), await law.corpus('test', 1000)];
    assert.is(train.length + held.length, 240);
    const contracts = (of: typeof items) => new Set(of.map(({ group }) => group));
    assert.ok([...contracts(train)].every((group) => !contracts(held).has(group)));
    const trainIds = new Set(train.map(({ id }) => id));
    assert.ok(examples.every(({ item, split }) => trainIds.has(items[item]!.id) === (split === 'train')));
    assert.type(items[0]!.covariates!['year'], 'number');
    assert.ok(law.privateItems);
    assert.match(
      law.notes!.join(),
      /concepts with too few examples, left out: duty \(0 positives in the train part, needs 2\)/,
    );
  });
});

test('an item of which a concept is unknown is no extra negative of it, nor the second half of a joined text', async () => {
  await withDomain(FILES, async (folder) => {
    const set = await (await open(folder)).concepts!({});
    const splits = conceptSplits(set, createRng(0), 99);
    const { items: texts, byConcept } = joinTexts(set, splits, 8, set.items.length, createRng(0));
    splits.forEach(({ extraNegatives }, c) => {
      const { id } = set.concepts[c]!;
      for (const item of extraNegatives) {
        assert.not.ok(set.items[item]!.unknown?.includes(id));
        assert.not.ok(LAW.truth.get(set.items[item]!.id)!.has(id));
      }
      for (const place of byConcept[c]!.other) {
        const second = /\+ (c\d+)/.exec(texts[place - set.items.length]!.id)![1]!;
        assert.not.ok(LAW.truth.get(second)!.has(id));
      }
    });
    // Something unknown is held out in another concept's negatives: else this shows nothing.
    const held = splits.flatMap(({ negatives }) => [...negatives]);
    assert.ok(held.some((item) => set.items[item]!.unknown));
  });
});

test('limits narrow; the order of rows changes nothing but the fingerprint; prompts serve nothing else', async () => {
  const [head, ...rows] = FILES['examples.csv'].split('\n');
  const turned = { ...FILES, 'examples.csv': [head, ...rows.reverse()].join('\n') };
  const of = (files: typeof FILES, options = {}) =>
    withDomain(files, async (folder) => {
      const law = await open(folder, options);
      return {
        set: await law.concepts!({ concepts: 2, perClass: 5 }),
        prompts: (await law.prompts?.(10)) ?? [],
        ids: [...(await law.corpus('train', 1000)), ...(await law.corpus('test', 1000))].map(({ id }) => id),
        fingerprint: law.fingerprint,
      };
    });
  const [plain, other, prompted] = [await of(FILES), await of(turned), await of(FILES, { prompts: 20 })];
  assert.is(plain.set.examples.length, 2 * 2 * 2 * 5);
  assert.equal(plain.set, other.set);
  assert.is.not(plain.fingerprint, other.fingerprint);
  assert.equal(plain.prompts, []);
  assert.is(prompted.ids.length, 220);
  assert.ok(prompted.prompts.length > 0);
});

test('images: the pixels’ file, the text as caption; the wrong kind of dataset and a path that is none are refused', async () => {
  const png = await readFile(join(packageRoot, 'harness/io/testdata/grey.golden.png'));
  const rows = Array.from({ length: 12 }, (_, i) => [`images/${i}.png`, `scan ${i}`, i % 2]);
  const files = Object.fromEntries(rows.map(([name], i) => [String(name), Uint8Array.from([...png, i])]));
  const table = { ...files, 'examples.csv': csv([['image', 'text', 'lesion'], ...rows]) };
  await withDomain(table, async (folder) => {
    const given = await images.open({ ...OPTIONS, path: folder }, { seed: 0, baseDir: '/' });
    const { items } = await given.concepts!({});
    assert.ok(items.every(({ image, text, caption }) => image && text === undefined && caption!.startsWith('scan')));
    assert.match(
      await refusal(open(folder)),
      /expected a domain of texts, found one of images in .*; name the dataset domain-images/,
    );
    assert.match(await refusal(open(join(folder, 'none'))), /there is no .*none/);
  });
  const lone = {
    'examples.csv': csv([
      ['text', 'group_id', 'a'],
      ['x', 'g', 1],
      ['y', 'g', 0],
    ]),
  };
  assert.match(await refusal(withDomain(lone, (folder) => open(folder))), /found none for the (train|test) part/);
});

test.run();
