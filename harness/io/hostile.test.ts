/** @file Small files that would take a reader's time or memory, overflow its stack or pass although they are wrong. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { shown, UserError } from '../errors.ts';
import { refusal } from '../testing/failing.ts';
import { zipOf } from '../testing/zip.ts';
import { readCsvRecords } from './csv.ts';
import { parseJson, readJson, scanJson } from './json.ts';
import { readJsonl } from './jsonl.ts';
import { openNpy, openNpz } from './npy.ts';
import { openSafetensors } from './safetensors.ts';
import { TIMED_OUT, timeLimit } from './time-limit.ts';
import { makeTokenizer } from './tokenizer.ts';
import { checkTokenizerJson, hasOwnRegex } from './tokenizer-check.ts';
import { openTorch } from './torch.ts';
import { openWeights } from './weights.ts';

const test = suite('io/hostile');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-hostile-'));
test.after(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, `${++files}-${name}`);
  writeFileSync(path, content);
  return path;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);

test('what a message shows of a value is short, whatever its depth and size', () => {
  assert.is(shown(JSON.parse(nested(40_000))), `${'['.repeat(80)}…`);
  assert.is(shown(Array.from({ length: 1e6 }, () => 1)).length, 81);
  assert.is(shown(`${'x'.repeat(1e6)}`).length, 81);
  const values = [undefined, null, 1.5, 'a"b', [1, 'x', [null]], { a: { b: [true] }, c: 'd' }, [], {}];
  for (const value of values) assert.is(shown(value), JSON.stringify(value) ?? 'nothing');
});

test('the message of a mistake is one line of bounded length without control characters', () => {
  const { message } = new UserError(`column '\u001b[2Ja\nb\u2028c\u202ed' of ${'x'.repeat(1e6)}: end`);
  assert.match(message, /^column ' \[2Ja b c d' of x+ … x+: end$/);
  assert.ok(message.length < 2100);
});

test('JSON: depth, repeated keys, characters that are no UTF-8', async () => {
  assert.equal(Array.isArray(parseJson(nested(200), 'x')), true);
  assert.is(await refusal(() => parseJson(nested(201), 'x')), 'x nests 201 levels deep, expected at most 200.');
  assert.match(
    await refusal(() => readJson(file('deep.json', `{"a":${nested(1e5)}}`), 'suite')),
    /nests 100001 levels/,
  );
  assert.is(
    await refusal(() => parseJson('{"a":[{"k":1,"\\u006b":2}]}', 'x')),
    'x holds the key "k" twice in one object.',
  );
  assert.equal(parseJson('{"__proto__":{"a":1}}', 'x'), JSON.parse('{"__proto__":{"a":1}}'));
  assert.match(
    await refusal(() => readJson(file('latin.json', Buffer.from('"\xe9"', 'latin1')), 'suite')),
    /not valid UTF-8/,
  );
  assert.equal(scanJson('{"a":"[[[{\\"","b":[{"a":[]}]}'), { depth: 4 });
});

test('safetensors and its index: deep values, tensors called __proto__', async () => {
  const raw = (header: string, data = 0) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([length, Buffer.from(header), Buffer.alloc(data)]);
  };
  const deep = file('deep.safetensors', raw(`{"a":${nested(20_000)}}`));
  assert.match(await refusal(() => openSafetensors(deep)), /the header nests 20001 levels deep/);
  const wide = file(
    'wide.safetensors',
    raw(`{"a":{"dtype":${JSON.stringify(Array(1e5).fill(0))},"shape":[],"data_offsets":[0,0]}}`),
  );
  assert.match(await refusal(() => openSafetensors(wide)), /unknown dtype \[0,0,.*…, expected one of/);
  const proto = '{"__proto__":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}';
  const all = await (await openSafetensors(file('proto.safetensors', raw(proto, 2)))).readAll();
  assert.equal(Object.keys(all), ['__proto__']);
  const shards = join(folder, 'shards');
  mkdirSync(shards);
  writeFileSync(join(shards, 'model.safetensors.index.json'), `{"weight_map":{"a":${nested(20_000)}}}`);
  assert.match(await refusal(() => openWeights(shards)), /index.json nests 20002 levels deep/);
});

const npyHeader = (descr: string, shape: string) => {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }${' '.repeat(53 - shape.length)}\n`;
  return Buffer.concat([
    Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length, 0]),
    Buffer.from(header),
  ]);
};

test('ZIP: sizes, checksums, bombs', async () => {
  const read = async (bytes: Uint8Array) => (await openNpz(file('x.npz', bytes))).read('x');
  const content = Buffer.concat([npyHeader('<f4', '2,'), Buffer.from(Float32Array.of(1, 2).buffer)]);
  for (const deflated of [false, true]) {
    const good = { name: 'x.npy', content, deflated };
    assert.equal((await read(zipOf([good]))).data, Float32Array.of(1, 2));
    assert.match(
      await refusal(() => read(zipOf([{ ...good, crc: 5 }]))),
      /'x.npy' is damaged: its CRC-32 is \w{8}, the archive says 00000005/,
    );
  }
  for (const [shape, claimed] of [
    ['2147483648,', 2 ** 33 + 128],
    ['1099511627776,', 2 ** 42 + 128],
  ] as const) {
    const claim = zipOf([{ name: 'x.npy', content: npyHeader('<f4', shape), claimed }]);
    assert.match(await refusal(() => read(claim)), /is stored as it is in \d+ bytes and claims \d+/);
  }
  const bomb = zipOf([{ name: 'x.npy', content: Buffer.alloc(2 ** 20), deflated: true, claimed: 2 ** 31 - 1 }]);
  assert.match(await refusal(() => read(bomb)), /claims 2147483647 bytes unpacked, expected at most 134217728/);
  const longer = zipOf([{ name: 'x.npy', content, deflated: true, claimed: content.length - 1 }]);
  assert.match(await refusal(() => read(longer)), /cannot be unpacked/);
});

test('pickles: names, containers, keys', async () => {
  const text = (value: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.length);
    return Buffer.concat([Buffer.from('X'), length, Buffer.from(value)]);
  };
  const open = (...parts: (string | Uint8Array)[]) => {
    const pickle = Buffer.concat([Buffer.from([0x80, 2]), ...parts.map((part) => Buffer.from(part))]);
    return openTorch(file('x.pt', zipOf([{ name: 'a/data.pkl', content: pickle, deflated: true }])));
  };
  const list = Buffer.concat([Buffer.from(']('), Buffer.from('K\u0001'.repeat(20_000)), Buffer.from('e')]);
  assert.match(
    await refusal(() => open('}', text('k'.repeat(2 ** 24)), list, 's.')),
    /names of at most 1024 characters/,
  );
  assert.match(await refusal(() => open('](', '}'.repeat(1_100_000), 'e.')), /1000000 lists and dicts/);
  assert.match(await refusal(() => open('N'.repeat(9e6), '.')), /at most 8000000 steps/);
  assert.match(await refusal(() => open('}', ']', 'K\u0001', 's.')), /a dict has a key that is no text/);
  // Twenty lists, each twice in the next: a million values out of some hundred bytes.
  const laughs = Array.from({ length: 20 }, (_, i) => Buffer.from([0x71, i, 0x68, i, 0x86]));
  assert.match(await refusal(() => open(']', ...laughs, '.')), /expected at most 16 levels/);
});

test('tables: many columns, long lines', async () => {
  const names = Array.from({ length: 50_000 }, (_, i) => `c${i}`);
  const wide = file('wide.csv', `${names.join(',')}\n${names.map(() => 1).join(',')}\n1,2\n`);
  assert.match(await refusal(() => all(readCsvRecords(wide, names))), /line 3: expected 50000 fields, found 2/);
  assert.match(
    await refusal(() => all(readCsvRecords(wide, ['none']))),
    /expected column none, found c0, .* and 49980 more/,
  );
  const long = file('long.csv', `a\n${'x'.repeat(100)}${',y'.repeat(9e6)}`);
  assert.match(await refusal(() => all(readCsvRecords(long))), /line 2: (a row of more than|expected at most)/);
  const line = file('long.jsonl', `1\n"${'x'.repeat(17 * 2 ** 20)}"\n`);
  assert.match(await refusal(() => all(readJsonl(line))), /line 2 has more than 16777216 characters/);
  const deep = file('deep.jsonl', `{"a":1}\n${nested(100_000)}\n`);
  assert.match(await refusal(() => all(readJsonl(deep))), /line 2 nests 100000 levels deep/);
  const split = `${'é😀'.repeat(70_000)}`;
  assert.equal(await all(readJsonl(file('split.jsonl', `\ufeff"${split}"\r\n\r\n2`))), [split, 2]);
});

test('links that lead back to themselves, pipes and folders are no files', async () => {
  const loop = join(folder, 'loop.json');
  symlinkSync(loop, loop);
  const pipe = join(folder, 'pipe.npy');
  execFileSync('mkfifo', [pipe]);
  assert.match(await refusal(() => readJson(loop, 'suite')), /loop.json is a symbolic link that leads back to itself/);
  assert.match(await refusal(() => openNpy(pipe)), /pipe.npy is a pipe, device or socket/);
  assert.match(await refusal(() => all(readJsonl(folder))), /is a folder, a file is expected/);
  assert.match(await refusal(() => all(readCsvRecords(loop))), /symbolic link/);
});

/** A tokenizer of words with a stage of its own. */
const tokenizer = (parts: object, vocab: unknown = { '<unk>': 0, a: 1 }) => ({
  added_tokens: [],
  model: { type: Array.isArray(vocab) ? 'Unigram' : 'WordPiece', vocab, unk_token: '<unk>' },
  ...parts,
});
const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
const times = (stage: object, n: number) => ({ type: 'Sequence', normalizers: Array.from({ length: n }, () => stage) });

test('tokenizers: what would blow up a text or break the library is named', async () => {
  const cases: [object, RegExp][] = [
    [
      tokenizer({ normalizer: times(replace({ String: 'a' }, 'aa'), 20) }),
      /normalizer: its replacements can make a text 1048576 times/,
    ],
    [tokenizer({ normalizer: replace({ String: '' }, 'x'.repeat(100)) }), /101 times as long/],
    [tokenizer({ decoder: replace({ Regex: '.' }, 'x'.repeat(100)) }), /decoder: its replacements/],
    [tokenizer({ normalizer: times({ type: 'NFC' }, 65) }), /at most 64 stages, found 65/],
    [
      tokenizer({ normalizer: { type: 'Sequence', normalizers: {} } }),
      /normalizer.normalizers: expected a list, found {}/,
    ],
    [
      tokenizer({ pre_tokenizer: { type: 'FixedLength', length: 0 } }),
      /FixedLength: length: expected a whole number above 0, found 0/,
    ],
    [tokenizer({ pre_tokenizer: { type: 'Split', pattern: null } }), /pattern: expected { "String"/],
    [
      tokenizer({ post_processor: { type: 'TemplateProcessing', single: { constructor: {} } } }),
      /TemplateProcessing: single: expected a list/,
    ],
    [tokenizer({ normalizer: [] }), /normalizer: expected an object with a text type, found \[\]/],
    [tokenizer({}, { a: 1e9 }), /token "a": expected an id from 0/],
    [tokenizer({}, { ['a'.repeat(5000)]: 1 }), /tokens of at most 4096 characters/],
    [tokenizer({}, [['a', 'x']]), /pairs of a token and its score, found \["a","x"\]/],
    [tokenizer({ model: { type: 'BPE', vocab: { a: 0 }, merges: ['a b c'] } }), /merges\[0\]: expected two tokens/],
    [
      tokenizer({ model: { type: 'BPE', vocab: { a: 0 }, merges: [['a', 'b'], 'a b'] } }),
      /merges\[1\]: expected two tokens/,
    ],
    [
      tokenizer({ model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2, ba: 3, aba: 4 }, merges: ['a b'] } }),
      /merges: expected merges that make the 3 longer tokens .* none makes "ba" and 1 others: was the list cut off/,
    ],
  ];
  for (const [json, expected] of cases) assert.match(await refusal(() => checkTokenizerJson('t', json)), expected);
});

test('tokenizers: an expression that backtracks for ever is stopped', async () => {
  const json = checkTokenizerJson('t', tokenizer({ normalizer: replace({ Regex: '(a+)+$' }, '') }));
  assert.ok(hasOwnRegex(json));
  assert.not.ok(hasOwnRegex(checkTokenizerJson('t', tokenizer({ normalizer: replace({ Regex: '\\s+' }, ' ') }))));
  const spaces = { type: 'Split', pattern: { Regex: '\\s+' }, behavior: 'Contiguous' };
  assert.ok(hasOwnRegex(checkTokenizerJson('t', tokenizer({ pre_tokenizer: spaces }))), '(?:\\s+)+ backtracks');
  const config = { tokenizer_class: { toString: 1 }, model_max_length: { valueOf: 1 } };
  assert.equal(makeTokenizer('t', json, config).encode('a').ids, []);
  const limited = timeLimit(50);
  assert.is(
    limited(() => 'aab'.replace(/(a+)+$/u, '')),
    'aab',
  );
  const { code } = await Promise.resolve()
    .then(() => limited(() => `${'a'.repeat(40)}b`.replace(/(a+)+$/u, '')))
    .then(
      () => ({ code: 'none' }),
      (error: NodeJS.ErrnoException) => error,
    );
  assert.is(code, TIMED_OUT);
});

test.run();
