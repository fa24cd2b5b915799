/** @file Datasets read from files: disjoint splits, matched negatives, the judge of real text, bad files. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptSet, Dataset } from '../../harness/contract.ts';
import { UserError } from '../../harness/contract.ts';
import { packageRoot } from '../../harness/kit/index.ts';
import { refusal } from '../../harness/testing/failing.ts';
import { judgeOn } from '../../harness/testing/task-tools.ts';
import datasetJudge from '../judges/dataset.ts';
import agnews from './agnews.ts';
import axbench from './axbench.ts';
import naturalText from './natural-text.ts';
import { readDocuments } from './parts/documents.ts';
import { passagesOf } from './parts/passages.ts';
import sst2 from './sst2.ts';
import stories from './stories.ts';

const test = suite('tasks/datasets/real-texts');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-datasets-'));
test.after(() => rmSync(folder, { recursive: true }));
const SHARED = resolve(packageRoot, '../shared/data');
const haveData = existsSync(SHARED);
if (!haveData) console.log('skipped: real texts; ../shared/data is absent');
const real = haveData ? test : test.skip;

const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return name;
};
const open = { seed: 0, baseDir: folder };
const CORPUS = file(
  'corpus.json',
  JSON.stringify(
    Array.from({ length: 300 }, (_, i) => `Document number${i} says word${i} and thing${i % 50}. It ends.`),
  ),
);

/** Words of class c are `c…`; 240 texts of different lengths. */
const NEWS = file(
  'news.csv',
  Array.from({ length: 240 }, (_, i) => {
    const name = 'abcd'[i % 4];
    return `"${(i % 4) + 1}","${name}title${i}","${`${name}word `.repeat(1 + (i % 7))}"\n`;
  }).join(''),
);

function checkSet(set: ConceptSet, train: number, evaluation: number): void {
  set.concepts.forEach((concept, c) => {
    const splits = (['train', 'eval'] as const).map((split) =>
      set.examples.filter((e) => e.concept === c && e.split === split),
    );
    const roles = splits.map((examples) => examples.map(({ role }) => role));
    assert.equal(
      roles.map((list) => [list.filter((r) => r === 'positive').length, list.filter((r) => r === 'negative').length]),
      [
        [train, train],
        [evaluation, evaluation],
      ],
    );
    const texts = splits.map((examples) => new Set(examples.map(({ item }) => set.items[item]!.text)));
    assert.not.ok([...texts[0]!].some((text) => texts[1]!.has(text)));
    for (const example of splits.flat()) {
      const own = set.items[example.item]!.labels!['class'] === concept.id;
      assert.is(own, example.role === 'positive');
      assert.is(set.items[example.item]!.concepts!.includes(concept.id), own);
    }
  });
}

test('agnews: classes are concepts, splits disjoint, negatives of other classes', async () => {
  const dataset = await agnews.open({ path: NEWS, corpusPath: CORPUS, train: 8, eval: 6 }, open);
  const set = await dataset.concepts!({});
  assert.is(set.concepts.length, 4);
  checkSet(set, 8, 6);
  assert.ok(set.items.length < set.examples.length, 'items are shared between concepts');
  checkSet(await dataset.concepts!({ concepts: 2, perClass: 3 }), 3, 3);
});

test('agnews: the judge tells classes by their words and prompts by their rare ones', async () => {
  const dataset = await agnews.open({ path: NEWS, corpusPath: CORPUS, train: 8, eval: 6 }, open);
  const { concepts } = await dataset.concepts!({});
  const { judge } = dataset;
  assert.is(judge!.concept('bword bword', concepts[1]!), 2);
  assert.is(judge!.concept('aword', concepts[1]!), 0);
  assert.is(judge!.concept('', concepts[1]!), 0);
  const [prompt] = await dataset.prompts!(1);
  const words = prompt!.topic!.split(' ');
  assert.ok(words.length >= 3);
  assert.equal(
    [`x ${words[0]}`, `${words[1]} and ${words[2]}`, 'nothing'].map((text) => judge!.instruction(text, prompt!)),
    [1, 2, 0],
  );
  // Opened anew, without anybody having read its concepts.
  const again = await agnews.open({ path: NEWS, corpusPath: CORPUS, train: 8, eval: 6 }, open);
  const rows = ['bword bword', 'aword'].map((text) => ({ text, concept: concepts[1]!, prompt: prompt! }));
  assert.equal(
    (await judgeOn(again, datasetJudge).rate(rows)).map(({ concept }) => concept),
    [2, 0],
  );
});

test('corpora and prompts share no document', async () => {
  const dataset = await stories.open({ path: CORPUS, field: 'text' }, open);
  const [train, held] = [await dataset.corpus('train', 1000), await dataset.corpus('test', 1000)];
  const prompts = await dataset.prompts!(1000);
  const texts = [...train, ...held].map(({ text }) => text!);
  assert.is(new Set(texts).size, texts.length);
  assert.ok(train.length > 5 * held.length && held.length > 10);
  assert.ok(prompts.length > 5);
  assert.not.ok(prompts.some(({ text }) => texts.some((other) => other.startsWith(text))));
  assert.equal(await dataset.corpus('test', 3), held.slice(0, 3));
});

test('natural-text: corpus of all sources, labelled texts in it or with their class, concepts of each set', async () => {
  const reviews = Array.from(
    { length: 200 },
    (_, i) => `${i % 2 ? 'good' : 'bad'} film number${i} with words of its own\t${i % 2}`,
  );
  const sst2Path = file('natural.tsv', `${reviews.join('\n')}\n`);
  const options = {
    corpus: [{ path: CORPUS }],
    agnewsPath: NEWS,
    sst2Path,
    train: 4,
    eval: 3,
    words: 16,
    format: 'plain' as const,
  };
  const dataset = await naturalText.open(options, open);
  const set = await dataset.concepts!({});
  assert.equal(
    set.concepts.map(({ id }) => id),
    ['agnews-world', 'agnews-sports', 'agnews-business', 'agnews-science', 'sst2-negative', 'sst2-positive'],
  );
  checkSet(set, 4, 3);
  const few = await dataset.concepts!({ concepts: 3, perClass: 2 });
  assert.equal(
    few.concepts.map(({ id }) => id),
    ['agnews-world', 'agnews-sports', 'sst2-negative'],
    'of each source in turn',
  );
  checkSet(few, 2, 2);
  const corpus = [...(await dataset.corpus('train', 1000)), ...(await dataset.corpus('test', 1000))].map(
    ({ text }) => text!,
  );
  for (const source of [/^Document number/, /film number/, /title/]) {
    assert.ok(
      corpus.slice(0, 60).some((text) => source.test(text)),
      `${source} is at the beginning`,
    );
  }
  const shown = new Set(set.items.map(({ text }) => text!.split(/\s+/).slice(0, 3).join(' ')));
  assert.not.ok(corpus.some((text) => shown.has(text.split(/\s+/).slice(0, 3).join(' '))));
  const again = await naturalText.open(options, { ...open, seed: 1 });
  assert.not.equal(await again.corpus('train', 20), await dataset.corpus('train', 20), 'another seed, another order');
  assert.is.not(again.fingerprint, dataset.fingerprint);
  const none = { corpus: [], train: 4, eval: 3, words: 16, format: 'plain' as const };
  assert.match(await refusal(() => naturalText.open(none, open)), /expected files under 'corpus'/);
});

test('natural-text: a text that shows its class is in no file of the corpus, nor a document twice, however spaced', async () => {
  const options = {
    corpus: [{ path: CORPUS }],
    agnewsPath: NEWS,
    train: 4,
    eval: 3,
    words: 16,
    format: 'plain' as const,
  };
  const { items } = await (await naturalText.open(options, open)).concepts!({});
  const shown = items.map(({ text }) => text!).filter((text) => text.split(' ').length >= 8);
  assert.ok(shown.length > 0);
  const spaced = Array.from({ length: 40 }, (_, i) => `A document of eight words, said twice${' '.repeat(i + 1)}here.`);
  const copies = [...shown, ...shown.map((text) => text.replaceAll(' ', '\n')), ...spaced];
  const path = file('copies.json', JSON.stringify(copies));
  const dataset = await naturalText.open({ ...options, corpus: [{ path: CORPUS }, { path }] }, open);
  const corpus = [...(await dataset.corpus('train', 1000)), ...(await dataset.corpus('test', 1000))];
  const texts = corpus.map(({ text }) => text!);
  assert.equal(
    texts.filter((text) => shown.some((each) => each.startsWith(text))),
    [],
  );
  assert.is(texts.filter((text) => text.startsWith('A document of eight')).length, 1);
});

test('a passage ends with a sentence where one of fair length does', () => {
  const text = 'One two three four five. Six seven eight nine ten eleven. Twelve thirteen fourteen fifteen';
  assert.equal(passagesOf(text, 12), ['One two three four five. Six seven eight nine ten eleven.']);
  assert.equal(passagesOf('a b c d e f g h i j k l m n o p', 8), ['a b c d e f g h', 'i j k l m n o p'], 'no sentence');
  assert.equal(passagesOf(' too short. ', 8), []);
});

test('documents come from lists, lines, objects and plain text', async () => {
  const expected = ['one', 'two words'];
  for (const [name, content] of [
    ['a.json', '["one", " two words ", ""]'],
    ['b.json', '[{"text": "one"}, {"text": "two words"}]'],
    ['c.jsonl', '{"text": "one"}\n\n"two words"\n'],
    ['d.txt', 'one\n\n\ntwo words\n'],
    ['e.json', '{"x": {"text": "one"}, "y": {"text": ["two words"]}}'],
  ] as const) {
    assert.equal(await readDocuments(join(folder, file(name, content)), 'text'), expected, name);
  }
});

test('sst2: two sentiments, a header line or none', async () => {
  const lines = Array.from({ length: 120 }, (_, i) => `${i % 2 ? 'fine' : 'poor'} film ${i}\t${i % 2}`);
  for (const head of ['', 'sentence\tlabel\n']) {
    const path = file('sst.tsv', `${head}${lines.join('\n')}\n`);
    const set = await (await sst2.open({ path, corpusPath: CORPUS, train: 8, eval: 6 }, open)).concepts!({});
    checkSet(set, 8, 6);
  }
});

test('bad files and missing options are the user’s: one line, naming file and place', async () => {
  const refused = async (action: () => Promise<unknown>, pattern: RegExp): Promise<void> => {
    try {
      await action();
    } catch (error) {
      assert.instance(error, UserError);
      assert.match((error as Error).message, pattern);
      assert.not.match((error as Error).message, /\n/);
      return;
    }
    assert.unreachable('expected a UserError');
  };
  const sizes = { train: 8, eval: 6 };
  const concepts = async (opened: Promise<Dataset>) => (await opened).concepts!({});
  await refused(() => stories.open({ field: 'text' }, open), /dataset stories: expected the option 'path'/);
  await refused(() => stories.open({ path: 'gone.json', field: 'text' }, open), /there is no .*gone\.json/);
  await refused(() => agnews.open({ path: NEWS, ...sizes }, open), /expected the option 'corpusPath'/);
  const wrong = { path: file('wrong.csv', '"1","a","b"\n"9","a","b"\n'), corpusPath: CORPUS, ...sizes };
  await refused(() => concepts(agnews.open(wrong, open)), /wrong\.csv: line 2: expected a class from 1 to 4/);
  await refused(() => concepts(sst2.open({ ...wrong, path: NEWS }, open)), /expected a sentence, a tab and 0 or 1/);
  await refused(
    () => concepts(agnews.open({ path: NEWS, corpusPath: CORPUS, train: 500, eval: 6 }, open)),
    /concept 'world': expected 500 texts/,
  );
  await refused(
    () => axbench.open({ path: '.', corpusPath: CORPUS, negatives: 'genre', format: 'gemma' }, open),
    /there is no .*train_data\.parquet/,
  );
  const documents = (name: string, content: string) => readDocuments(join(folder, file(name, content)), 'text');
  await refused(() => documents('x.json', '{"a": 1}'), /expected a list of texts/);
  await refused(() => documents('y.json', '["a", 3]'), /entry 1: expected a text/);
  await refused(() => documents('z.txt', '\n\n'), /expected at least one document/);
});

test('axbench: two tables of different sets are refused; each set counts its concepts from 0', async () => {
  const golden = (name: string) => join(import.meta.dirname, `testdata/axbench-${name}.golden.parquet`);
  const opened = (heldOut: string) => {
    const path = join(folder, `axbench-${heldOut}`);
    for (const [part, name] of [
      ['train', 'train'],
      ['test', heldOut],
    ] as const) {
      mkdirSync(join(path, part), { recursive: true });
      copyFileSync(golden(name), join(path, part, 'data.parquet'));
    }
    return axbench.open({ path, corpusPath: CORPUS, negatives: 'genre', format: 'plain' }, open);
  };
  const { concepts, examples } = await (await opened('test')).concepts!({});
  assert.equal(
    concepts.map(({ label }) => label),
    ['rivers', 'mills'],
  );
  assert.is(examples.filter(({ split, role }) => split === 'eval' && role === 'positive').length, 4);
  try {
    await (await opened('other')).concepts!({});
    assert.unreachable('expected a UserError');
  } catch (error) {
    assert.instance(error, UserError);
    assert.match(
      (error as Error).message,
      /test\/data\.parquet: row 4: expected texts with 'mills' for concept_id 1, .* found 'clocks'/,
    );
  }
});

const corpusPath = join(SHARED, 'tinystories-1000/tinystories_1000.json');

real('real AG News, SST-2 and TinyStories', async () => {
  const news = await agnews.open({ path: join(SHARED, 'agnews/test.csv'), corpusPath, train: 72, eval: 36 }, open);
  const set = await news.concepts!({});
  checkSet(set, 72, 36);
  assert.not.ok(set.items.some(({ text }) => /\\|#\d+;/.test(text!)));
  const films = await sst2.open({ path: join(SHARED, 'sst2/dev.tsv'), corpusPath, train: 72, eval: 36 }, open);
  checkSet(await films.concepts!({}), 72, 36);
  const prompts = await news.prompts!(10);
  assert.is(prompts.length, 10);
  const { judge } = news;
  const held = set.examples.filter((e) => e.concept === 1 && e.split === 'eval');
  const grade = (role: string) => {
    const chosen = held
      .filter((e) => e.role === role)
      .map((e) => judge!.concept(set.items[e.item]!.text!, set.concepts[1]!));
    return chosen.reduce((sum, value) => sum + value, 0) / chosen.length;
  };
  assert.ok(grade('positive') > 1 && grade('negative') < 0.3, `${grade('positive')} ${grade('negative')}`);
});

real('natural-text: sixteen concepts of three sets, six hundred thousand tokens of mixed passages', async () => {
  const at = (path: string) => resolve(SHARED, path);
  const dataset = await naturalText.open(
    {
      corpus: [
        { path: at('wikitext2/valid.txt') },
        { path: at('tinystories-1000/tinystories_1000.json') },
        { path: at('pubmedqa/ori_pqal.json'), field: 'CONTEXTS' },
      ],
      ...{
        agnewsPath: at('agnews/test.csv'),
        sst2Path: at('sst2/train.tsv'),
        axbenchPath: at('axbench/concept10_2b_l20'),
      },
      ...{ train: 72, eval: 36, words: 96, format: 'plain' as const },
    },
    open,
  );
  const set = await dataset.concepts!({});
  assert.is(set.concepts.length, 16);
  const positives = (c: number) => set.examples.filter((e) => e.concept === c && e.role === 'positive').length;
  assert.equal([0, 4, 6].map(positives), [108, 108, 108]);
  assert.match(dataset.notes![0]!, /plainly/);
  const corpus = await dataset.corpus('train', 100_000);
  const words = corpus.reduce((sum, { text }) => sum + text!.split(' ').length, 0);
  assert.ok(words > 500_000, `${words}`);
});

real('real CONCEPT10: AxBench’s counts of examples', async () => {
  const path = join(SHARED, 'axbench/concept10_2b_l20');
  const set = await (await axbench.open({ path, corpusPath, negatives: 'genre', format: 'gemma' }, open)).concepts!({});
  const count = (split: string, role: string) =>
    set.examples.filter((e) => e.split === split && e.role === role).length;
  assert.is(set.concepts.length, 10);
  assert.equal([count('train', 'positive'), count('train', 'negative')], [720, 720]);
  assert.equal([count('eval', 'positive'), count('eval', 'negative'), count('eval', 'hard-negative')], [360, 360, 35]);
  const all = await (await axbench.open({ path, corpusPath, negatives: 'all', format: 'gemma' }, open)).concepts!({});
  assert.is(all.examples.filter((e) => e.split === 'train' && e.role === 'negative').length, 2160);
  const item = set.items[0]!;
  assert.ok(item.text!.startsWith('<bos><start_of_turn>user\n'));
  assert.ok(item.text!.slice(0, item.responseStart).endsWith('<start_of_turn>model\n'));
});

real(
  'AlpacaEval for CONCEPT10: ten instructions a concept by AxBench’s seeds, each with a topic, and a judge of its own',
  async () => {
    const path = join(SHARED, 'axbench/concept10_2b_l20');
    const instructionsPath = join(SHARED, 'alpacaeval-instructions/text_davinci_003_model_outputs.json');
    const options = { path, corpusPath, instructionsPath, negatives: 'genre', format: 'gemma' } as const;
    const dataset = await axbench.open(options, open);
    assert.match(dataset.notes!.at(-1)!, /drawn by its number as AxBench draws them, of 805$/);
    const { concepts } = await dataset.concepts!({});
    const first = await dataset.conceptPrompts!(concepts[0]!, 10);
    assert.equal(
      first.map(({ id }) => Number(id.replace('instruction-', ''))),
      [8, 258, 172, 317, 294, 251, 609, 331, 775, 320],
    );
    for (const concept of concepts) {
      for (const { text, topic } of await dataset.conceptPrompts!(concept, 10)) {
        assert.ok(text.startsWith('<bos><start_of_turn>user\n') && text.endsWith('<start_of_turn>model\n') && topic);
      }
    }
    const { open: openJudge } = datasetJudge;
    const judge = await openJudge({ dataset, options: {}, replies: { once: (_, ask) => ask() } });
    const held = (await dataset.concepts!({})).items.filter(({ id }) => id.startsWith('eval')).slice(0, 24);
    const texts = held.map(({ text, responseStart }) => text!.slice(responseStart));
    const ratings = await judge.rate(texts.map((text) => ({ text, concept: concepts[0]!, prompt: first[0]! })));
    assert.ok(ratings.every(({ concept, instruct }) => [0, 1, 2].includes(concept!) && [0, 1, 2].includes(instruct!)));
    const without = await axbench.open({ ...options, instructionsPath: undefined }, open);
    assert.is.not(without.fingerprint, dataset.fingerprint);
    assert.is(without.conceptPrompts, undefined);
  },
);

test.run();
