/** @file The dataset of medical texts: its readers on small files, what each item is known to show, and the published files where they are. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ConceptSet } from '../../harness/contract.ts';
import { packageRoot } from '../../harness/kit/index.ts';
import { refusal } from '../../harness/testing/failing.ts';
import { conditions, readAbstracts } from './medical/abstracts.ts';
import { entitiesDigest, readEntities } from './medical/entities.ts';
import { polysemes, sentencesOf } from './medical/polysemes.ts';
import { readPubMedQa } from './medical/pubmedqa.ts';
import medical from './medical.ts';

const test = suite('tasks/datasets/medical');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-medical-'));
test.after(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string): string => {
  const path = join(folder, name);
  mkdirSync(resolve(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
};

const abstract = (i: number, terms: string[]) => ({
  ...{
    QUESTION: `Does number ${i} help children?`,
    CONTEXTS: ['We looked at it.', 'It was long.'],
    MESHES: terms,
    YEAR: '2010',
  },
});

test('PubMedQA: terms that are neither rare nor everywhere, a child shows its parent', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => [
    `${i}`,
    abstract(i, i < 25 ? ['Infant, Newborn', 'Humans'] : i < 40 ? ['Infant'] : ['Rare']),
  ]);
  const { concepts, texts } = await readPubMedQa(file('qa.json', JSON.stringify(Object.fromEntries(rows))), 64);
  assert.equal(
    concepts.map(({ id, parent, prevalence }) => [id, parent, prevalence!.positives]),
    [
      ['mesh-humans', undefined, 25],
      ['mesh-infant', undefined, 40],
      ['mesh-infant-newborn', 'mesh-infant', 25],
    ],
  );
  assert.equal([...texts[0]!.shows].sort(), ['mesh-humans', 'mesh-infant', 'mesh-infant-newborn']);
  assert.equal([texts[30]!.shows, texts[50]!.shows, texts[0]!.item.covariates], [['mesh-infant'], [], { year: 2010 }]);
  assert.match(texts[0]!.item.text!, /^Does number 0 help children\? We looked at it\. It was long\.$/);
  const wrong = file('wrong.json', JSON.stringify({ 7: { QUESTION: 'x', CONTEXTS: 'no list', MESHES: [] } }));
  assert.match(
    await refusal(() => readPubMedQa(wrong, 64)),
    /wrong\.json: entry 7: expected a question, a list of contexts/,
  );
});

test('entities: text again with its marks, parents marked too, each sentence once, other kinds unknown', async () => {
  const bio = (...sentences: string[]) =>
    sentences
      .map((each) =>
        each
          .split(' ')
          .map((word) => word.replace('|', '\t'))
          .join('\n'),
      )
      .join('\n\n');
  const cell = 'The|O human|B-Cell T|I-Cell cells|I-Cell ,|O however|O ,|O did|O not|O bind|O (|O at|O all|O )|O .|O';
  const plain = 'There|O was|O nothing|O of|O the|O kind|O in|O here|O .|O';
  for (const corpus of [
    'BC5CDR-IOB',
    'NCBI-disease-IOB',
    'AnatEM-IOB',
    'BioNLP13CG-IOB',
    'BC2GM-IOB',
    'linnaeus-IOB',
  ]) {
    file(
      `ner/${corpus}/train.tsv`,
      corpus === 'BioNLP13CG-IOB' ? bio(cell, 'Too|O short|O .|O') : bio(plain.replace('kind', corpus)),
    );
    file(`ner/${corpus}/test.tsv`, bio(plain));
  }
  file('abstracts.csv', `condition_label,medical_abstract\n1,"A text. ${'It was long. '.repeat(9)}"\n`);
  const options = { abstractsPath: 'abstracts.csv', general: [], train: 6, eval: 6, words: 16 };
  const opened = () => medical.open({ ...options, entitiesPath: 'ner' }, { seed: 0, baseDir: folder });
  const { fingerprint } = await opened();
  assert.is((await opened()).fingerprint, fingerprint);
  // A corpus at the top beside a whole folder below is not half of each.
  cpSync(join(folder, 'ner'), join(folder, 'below/data'), { recursive: true });
  file('below/BC5CDR-IOB/train.tsv', bio(cell));
  assert.is(await entitiesDigest(join(folder, 'below')), await entitiesDigest(join(folder, 'ner')));
  assert.equal(await readEntities(join(folder, 'below')), await readEntities(join(folder, 'ner')));
  const { set, corpus } = await readEntities(join(folder, 'ner'));
  const [{ item, shows }] = set.texts.filter(({ shows: own }) => own.length > 0) as [(typeof set.texts)[0]];
  assert.is(item.text, 'The human T cells, however, did not bind (at all).');
  assert.equal(shows, ['entity-cell', 'entity-anatomy']);
  assert.equal(
    item.spans!.map(({ start, end }) => item.text!.slice(start, end)),
    ['human T cells', 'human T cells'],
  );
  assert.equal([...item.unknown!].sort(), ['entity-chemical', 'entity-disease']);
  assert.is(set.texts.filter(({ item: each }) => each.text?.includes('the kind')).length, 1, 'in four corpora');
  assert.equal(corpus.length, 2);
  file('ner/BC2GM-IOB/train.tsv', 'word without tag');
  assert.is.not((await opened()).fingerprint, fingerprint);
  assert.match(
    await refusal(() => readEntities(join(folder, 'ner'))),
    /BC2GM-IOB\/train\.tsv: line 1: expected a token and a tag/,
  );
  assert.match(await refusal(() => readEntities(folder)), /expected BC5CDR-IOB\/train\.tsv; found none/);
});

test('senses: clinical uses are positives, general ones hard negatives and held out, unclear ones unknown', () => {
  const clinical = Array.from({ length: 40 }, (_, i) => ({
    ...{ id: `a${i}`, label: 0 },
    text: `The patient went into septic shock on day ${i} of it. The body mass index was about ${i} in all. We saw nothing of note in group ${i}.`,
  }));
  const general = [
    'The news came as a shock to all of us today. They all went to a very large house there. Shock in the hospital as the doctor left it.',
  ];
  const { texts } = polysemes(clinical, general);
  const of = (id: string) => texts.filter(({ item }) => item.id === id)[0];
  const shock = texts.find(({ shows }) => shows.includes('sense-shock'))!;
  assert.match(shock.item.text!, /septic shock/);
  assert.ok(
    texts.some(
      ({ item, shows }) =>
        item.text!.includes('body mass') && item.unknown!.includes('sense-mass') && shows.length === 0,
    ),
  );
  assert.equal([of('general-0')!.hard, of('general-0')!.split], [['sense-shock'], 'eval']);
  assert.not.ok(
    texts.some(({ item }) => item.text!.includes('doctor')),
    'a clinical word beside it: which sense nobody knows',
  );
  const even = (source: string) =>
    texts.filter(
      ({ item, shows, hard = [] }) => item.covariates!['source'] === source && shows.length + hard.length === 0,
    );
  assert.is(even('abstracts').length, even('general').length);
  assert.equal(sentencesOf("The 1 @,@ 200 men of it , all told , did n't go . = Heading of it all here now = \n"), []);
  assert.equal(sentencesOf('The 1 @,@ 200 men of it , all told , went away .'), [
    'The 1,200 men of it, all told, went away.',
  ]);
});

test('conditions, and a file with a wrong class', async () => {
  const path = file(
    'abstracts.csv',
    'condition_label,medical_abstract\n1,"Cancer of the lung was looked at in all of the men here."\n4,"A heart, and another one of the very same kind as it."\n',
  );
  const { concepts } = conditions(await readAbstracts(path), 64);
  assert.equal(
    concepts.map(({ prevalence }) => prevalence!.positives),
    [1, 0, 0, 1, 0],
  );
  const rows = [
    { condition_label: 1, medical_abstract: 'Cancer of the lung was looked at in all of the men here.' },
    { condition_label: 4, medical_abstract: 'A heart, and another one of the very same kind as it.' },
  ];
  const table = file('abstracts.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  assert.equal(await readAbstracts(table), await readAbstracts(path), 'the table of the hub has the same columns');
  const unlike = file('unlike.jsonl', '{"label":1,"text":"x"}\n');
  assert.match(await refusal(() => readAbstracts(unlike)), /row 1: .*found 'undefined' and 0 characters/);
  const wrong = file('classes.csv', 'condition_label,medical_abstract\n6,"x"\n');
  assert.match(await refusal(() => readAbstracts(wrong)), /row 1: expected a condition_label from 1 to 5/);
});

const SHARED = resolve(packageRoot, '../shared/data');
const real = existsSync(SHARED) ? test : test.skip;
if (!existsSync(SHARED)) console.log('skipped: medical texts; ../shared/data is absent');

real(
  'the published files: 44 MeSH terms but those that a child makes frequent, all kinds, no item in both splits of a concept',
  async () => {
    const options = {
      ...{ pubmedqaPath: 'pubmedqa/ori_pqal.json', abstractsPath: 'medical-abstracts/medical_tc_test.csv' },
      ...{
        entitiesPath: 'bio-ner/mtl-bioner-iob.tar.gz',
        agnewsPath: 'agnews/test.csv',
        general: [],
        train: 20,
        eval: 12,
        words: 64,
      },
    };
    const dataset = await medical.open(options as never, { seed: 0, baseDir: SHARED });
    const set: ConceptSet = await dataset.concepts!({});
    const kinds = new Map<string, number>();
    for (const { domain } of set.concepts) kinds.set(domain!, (kinds.get(domain!) ?? 0) + 1);
    assert.equal(Object.fromEntries(kinds), { MeSH: 43, conditions: 5, entities: 7, senses: 6 });
    for (const [c, { id }] of set.concepts.entries()) {
      const own = set.examples.filter(({ concept }) => concept === c);
      const splits = new Map<number, string>();
      for (const { item, split, role } of own) {
        const { concepts, unknown } = set.items[item]!;
        assert.is(splits.get(item) ?? split, split, `${id}: both splits`);
        splits.set(item, split);
        assert.is(concepts!.includes(id), role === 'positive', `${id}: ${role}`);
        assert.not.ok(unknown!.includes(id), `${id}: unknown`);
      }
    }
    const texts = new Set(set.items.map(({ text }) => text));
    for (const split of ['train', 'test'] as const) {
      for (const { text } of await dataset.corpus(split, 3000)) assert.not.ok(texts.has(text));
    }
    assert.is((await dataset.concepts!({ concepts: 4, perClass: 6 })).concepts.length, 4);
  },
);

test.run();
