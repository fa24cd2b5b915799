/** @file Reading a domain's folder: both forms, cells of every writer, covariates, images, and what is wrong named by row. */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../paths.ts';
import { csv, withDomain } from '../testing/domain-folder.ts';
import { refusal } from '../testing/failing.ts';
import { conceptId } from './concepts-table.ts';
import { LABEL } from './domain.ts';
import { readDomain } from './read.ts';

const test = suite('domain/read');

const [U, N, P, H] = [LABEL.unknown, LABEL.negative, LABEL.positive, LABEL.hardNegative];
const read = (files: Record<string, string | Uint8Array>) => withDomain(files, readDomain);
const wrong = (files: Record<string, string | Uint8Array>) => refusal(() => read(files));

test('wide: cells of every writer; blank is unknown and never negative; BOM, CRLF and quotes', async () => {
  const cells = ['1', '0', '', 'yes', 'No', 'TRUE', 'false', '1.0', '0.0', 'NA', 'NaN', ' ', '?', 'hard_negative'];
  const rows = cells.map((value, i) => `r${i},"a ""gull"", ${i}\r\nflew",${value}\r\n`);
  const { examples, labels, concepts, modality, settings } = await read({
    'examples.csv': `\ufeffid,text,Sea gull\r\n${rows.join('')}`,
  });
  assert.equal([...labels[0]!], [P, N, U, P, N, P, N, P, N, U, U, U, U, H]);
  assert.is(examples[0]!.text, 'a "gull", 0\r\nflew');
  assert.equal(concepts, [{ id: 'sea-gull', name: 'Sea gull', synonyms: [] }]);
  assert.is(modality, 'text');
  assert.is(settings.texts, 'private');
});

test('jsonl: numbers, booleans, null and absent keys; rows without ids are numbered', async () => {
  const rows = [{ text: 'a', gull: 1 }, { text: 'b', gull: false }, { text: 'c', gull: null }, { text: 'd' }];
  const { examples, labels } = await read({ 'examples.jsonl': rows.map((row) => JSON.stringify(row)).join('\n') });
  assert.equal(
    examples.map(({ id }) => id),
    ['row-1', 'row-2', 'row-3', 'row-4'],
  );
  assert.equal([...labels[0]!], [P, N, U, U]);
});

test('long: one text with several concepts is one example; a concept that a text has no row of is unknown', async () => {
  const { examples, labels, concepts } = await read({
    'examples.csv': csv([
      ['text', 'concept', 'role', 'group_id'],
      ['a gull', 'gull', 'positive', 'g'],
      ['a gull', 'tern', 'negative', ''],
      ['a ship', 'gull', 'hard_negative', ''],
      ['a ship', 'gull', 'hard_negative', ''],
      ['fog', '', '', ''],
    ]),
  });
  assert.equal(
    examples.map(({ id, group }) => [id, group]),
    [
      ['row-1', 'g'],
      ['row-3', undefined],
      ['row-5', undefined],
    ],
  );
  assert.equal(
    concepts.map(({ name }) => name),
    ['gull', 'tern'],
  );
  assert.equal(
    labels.map((own) => [...own]),
    [
      [P, H, U],
      [N, U, U],
    ],
  );
});

test('concepts.csv: synonyms as written, code, parent, definition; covariates are numbers or words', async () => {
  const { concepts, covariates, examples } = await read({
    'concepts.csv': csv([
      ['name', 'synonyms', 'code', 'parent', 'definition', 'deniable', 'prevalence'],
      ['bird', '', 'B01', '', '', '', ''],
      ['gull', 'sea (mew|.*; larus | gull', '', 'bird', 'a white bird', 'no', '2e-3'],
    ]),
    'suite.json': '{ "covariates": ["age", "site"], "ignore": ["note"] }',
    'examples.csv': csv([
      ['text', 'gull', 'age', 'site', 'note'],
      ['a', 1, 31.5, 'A', 'x'],
      ['b', 0, '', 7, 'y'],
    ]),
  });
  assert.equal(concepts[1], {
    ...{ id: 'gull', name: 'gull', synonyms: ['sea (mew', '.*', 'larus'], parent: 0 },
    ...{ definition: 'a white bird', prevalence: 0.002, deniable: false },
  });
  assert.is(concepts[0]!.code, 'B01');
  assert.equal(covariates, [
    { name: 'age', numeric: true },
    { name: 'site', numeric: false },
  ]);
  assert.equal(
    examples.map((each) => each.covariates),
    [{ age: 31.5, site: 'A' }, { site: '7' }],
  );
});

test('ids of concepts are names made plain, in any script, and of emoji their code points', () => {
  const names = ['Heart failure (CHF)', 'Épinard', '心不全', '😀', '__proto__'];
  assert.equal(names.map(conceptId), ['heart-failure-chf', 'épinard', '心不全', 'u1f600', 'proto']);
});

/** What is wrong, what of the folder, and what of the files is otherwise right. */
const RIGHT = { 'examples.csv': 'id,text,gull\n1,a,1\n2,b,0\n' };
const table = (text: string) => ({ 'examples.csv': text });
const concepts = (text: string) => ({ ...RIGHT, 'concepts.csv': text });
const settings = (text: string) => ({ ...RIGHT, 'suite.json': text });
const WRONG: [RegExp, Record<string, string>][] = [
  [/expected examples.csv, examples.jsonl or examples.parquet in it, found none; saxbench new domain/, { a: '' }],
  [/expected one table of examples; found examples.csv and examples.jsonl/, { ...RIGHT, 'examples.jsonl': '' }],
  [/expected a header line, found an empty file/, table('')],
  [/expected rows below the names of columns, found none/, table('id,text,gull\n')],
  [/column 'gull' occurs twice/, table('text,gull,gull\na,1,0\n')],
  [/column 'gull' occurs twice/, table('text,gull, gull\na,1,0\n')],
  [/a column has no name: .*index=False/, table(',text,gull\n0,a,1\n')],
  [/expected a column 'text' or 'image', found txt, gull/, table('txt,gull\na,1\n')],
  [/row 2: id '1' is that of row 1 too/, table('id,text,gull\n1,a,1\n1,b,0\n')],
  [/row 1: id: expected 1 to 200 characters, found 0/, table('id,text,gull\n,a,1\n')],
  [/row 2: expected a text, found nothing/, table('text,gull\na,1\n ,0\n')],
  [/row 1: split: expected train, test or blank.*found 'valid'/, table('text,split,gull\na,valid,1\n')],
  [
    /group 'g': expected its examples in one split; found 'row-1' in train and 'row-2' in test/,
    table('text,group_id,split,gull\na,g,train,1\nb,g,test,0\n'),
  ],
  [
    /column 'age' is none of the format, nor a concept \(its cells are no labels\).*"covariates": \["age"\]/,
    table('text,gull,age\na,1,37\n'),
  ],
  [
    /column 'gul' is none of the format, nor a concept of concepts.csv. Did you mean: gull\?/,
    { ...table('text,gul\na,1\n'), 'concepts.csv': 'name\ngull\n' },
  ],
  [
    /row 2, column 'gull': expected 1, 0, .*found '2'/,
    { ...table('text,gull\na,1\nb,2\n'), 'concepts.csv': 'name\ngull\n' },
  ],
  [/expected a column for each concept, or the columns concept and role/, table('id,text\n1,a\n')],
  [/has the column 'concept' and no 'role'/, table('text,concept\na,gull\n')],
  [
    /unknown concept in examples.csv: row 1 'gul'. Did you mean: gull\?/,
    { ...table('text,concept,role\na,gul,positive\nb,gull,positive\n'), 'concepts.csv': 'name\ngull\n' },
  ],
  [/row 1: role: expected positive, negative or hard_negative; found 'pos'/, table('text,concept,role\na,gull,pos\n')],
  [
    /row 2: the example 'row-1' has another role for 'gull'/,
    table('text,concept,role\na,gull,positive\na,gull,negative\n'),
  ],
  [
    /row 2: expected one text of the example '1', found two\.$/,
    table('id,text,concept,role\n1,secret one,gull,positive\n1,secret two,gull,positive\n'),
  ],
  [
    /row 2: expected one group of the example 'row-1', found two, 'g' and 'h'/,
    table('text,concept,role,group_id\na,gull,positive,g\na,tern,positive,h\n'),
  ],
  [/expected concepts of different names; found 'Gull' and 'gull'/, table('text,Gull,gull\na,1,0\n')],
  [/concepts.csv: expected a column 'name'/, concepts('code\nx\n')],
  [/unknown column of concepts.csv 'sinonyms'. Did you mean: synonyms\?/, concepts('name,sinonyms\ngull,x\n')],
  [/concepts.csv: row 1: expected a name/, concepts('name,code\n,x\n')],
  [/concepts.csv: row 1: 'split' is a column that the format has itself/, concepts('name\nsplit\n')],
  [
    /unknown parent of 'gull' in concepts.csv 'brid'. Did you mean: bird\?/,
    concepts('name,parent\ngull,brid\nbird,\n'),
  ],
  [
    /expected parents without a circle; found gull → bird → sea → gull/,
    concepts('name,parent\ngull,bird\nbird,sea\nsea,gull\n'),
  ],
  [/expected parents without a circle; found gull → gull/, concepts('name,parent\ngull,gull\n')],
  [/'tern' has no example in examples.csv and is no other's parent/, concepts('name\ngull\ntern\n')],
  ...['0', '1', '2 %', '-.1', '1e-10', 'Infinity'].map((share): [RegExp, Record<string, string>] => [
    /concepts.csv: row 1: prevalence: expected the share of the population .*, or blank; found/,
    concepts(`name,prevalence\ngull,${share}\n`),
  ]),
  [/deniable: expected yes, no or blank; found 'maybe'/, concepts('name,deniable\ngull,maybe\n')],
  [/suite.json: texts: expected "private" or "open", found "public"/, settings('{"texts":"public"}')],
  [/suite.json: covariates: expected different names of columns/, settings('{"covariates":"age"}')],
  [/covariates: expected a column of examples.csv, found 'agee'/, settings('{"covariates":["agee"]}')],
  [/covariates: 'text' is a column of the format/, settings('{"covariates":["text"]}')],
  [/expected an object, found \[\]/, settings('[]')],
];

test('what is wrong is one line that names file, row and mend, and says nothing of texts', async () => {
  for (const [message, files] of WRONG) {
    const error = await wrong(files);
    assert.match(error, message);
    assert.not.match(error, /secret/);
  }
});

test('images lie within the folder, whatever a path or a link says', async () => {
  const png = await readFile(join(packageRoot, 'harness/io/testdata', 'grey.golden.png'));
  const of = (path: string) => ({
    'examples.csv': csv([
      ['id', 'image', 'text', 'gull'],
      ['1', path, 'a gull', 1],
    ]),
    'images/1.png': png,
  });
  const { examples, modality } = await read(of('images/1.png'));
  assert.is(modality, 'image');
  assert.is(examples[0]!.image!.name, 'images/1.png');
  assert.is(examples[0]!.text, 'a gull');
  for (const path of [
    '../../1.png',
    '/etc/hostname',
    'C:\\1.png',
    'https://x/1.png',
    'images',
    'images/2.png',
    'examples.csv',
  ]) {
    assert.match(await wrong(of(path)), /example '1': image: expected the path of an image within/, path);
  }
  const error = await refusal(() =>
    withDomain(of('images/link.png'), async (folder) => {
      await mkdir(join(folder, '../outside'));
      await writeFile(join(folder, '../outside/1.png'), png);
      await symlink(join(folder, '../outside/1.png'), join(folder, 'images/link.png'));
      return readDomain(folder);
    }),
  );
  assert.match(error, /which lies outside/);
});

test('the fingerprint follows tables, declarations and images; privacy changes no number', async () => {
  const of = async (files: Record<string, string>) => (await read({ ...RIGHT, ...files })).fingerprint;
  const plain = await of({});
  assert.is(await of({ 'suite.json': '{ "texts": "open", "title": "x" }' }), plain);
  const others = [
    await of({ 'examples.csv': `${RIGHT['examples.csv']}3,c,0\n` }),
    await of({ 'concepts.csv': 'name,synonyms\ngull,mew\n' }),
    await of({ 'suite.json': '{ "ignore": ["id2"] }', 'examples.csv': 'id,text,gull,id2\n1,a,1,x\n2,b,0,y\n' }),
  ];
  assert.is(new Set([plain, ...others]).size, 4);
});

test.run();
