/** @file GPT-2 against transformers: every site, logits and greedy ids; files of the bare model; flags that change numbers. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LanguageModel, UserError } from '../../harness/contract.ts';
import { openSafetensors } from '../../harness/io/safetensors.ts';
import { isResidualStream, writeSafetensors } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import gpt2 from './gpt2.ts';
import { batchOf } from './load.ts';
import { argmax } from './sampling.ts';
import { assertClose, readGolden, testFolder } from './testing/golden.ts';

const test = suite('models/subjects/gpt2');
let folder = '';
test.before.each(async () => {
  await initBackend('wasm');
  folder = await mkdtemp(join(tmpdir(), 'saxbench-gpt2-'));
});
test.after.each(() => rm(folder, { recursive: true, force: true }));

const open = (path: string) => gpt2.load(path, { id: 'test' }) as Promise<LanguageModel>;

const FOLDERS = {
  gpt2: 'F32, gelu_new, tied head, an MLP of 4 d',
  'gpt2-untied': 'F16, gelu, a head of its own, another MLP width and epsilon',
};

/** Compares all of a golden file with what the model in `path` computes. */
async function compare(path: string, name: string): Promise<void> {
  const golden = await readGolden(name);
  const batch = await golden.batch();
  const empty = tf.memory().numTensors;
  const model = await open(path);
  const loaded = tf.memory().numTensors;
  const sites = model.sites.map((site) => site.name);
  assert.is(sites.length, 2 * 7 + 1);
  assert.equal(await gpt2.outline!(path), { sites: model.sites, parameters: model.parameters });
  const { logits, captured } = model.forward(batch, { capture: sites });
  // Without a look inside, blocks may run in one operation.
  const plain = model.forward(batch).logits!;
  for (const found of [logits!, plain]) {
    assertClose('logits', found, (await golden.values('logits')).data, { mask: batch.mask });
  }
  for (const site of sites) assertClose(site, captured[site]!, (await golden.values(site)).data, { mask: batch.mask });
  tf.dispose([logits!, plain, captured]);

  const prompts = [7, 4, 1].map((length, row) => [...batch.ids.subarray(row * 7, row * 7 + length)]);
  const generated = await model.generate(prompts, { maxNewTokens: 12, eosId: -1 });
  assert.equal(generated.flat(), [...(await golden.values('greedy')).data]);
  assert.is(tf.memory().numTensors, loaded);
  model.dispose();
  assert.is(tf.memory().numTensors, empty);
}

for (const [name, what] of Object.entries(FOLDERS)) {
  for (const backend of ['wasm', 'native'] as const) {
    test(`${name}, ${backend}: every site, the logits and greedy generation are transformers' (${what})`, async () => {
      if (backend === 'native') await initBackend('native').catch(() => console.log('skipped: no native backend'));
      await compare(testFolder(name), name);
    });
  }

  test(`${name}: texts get the ids of GPT2TokenizerFast, from vocab.json and merges.txt`, async () => {
    const { text, ids } = JSON.parse(await readFile(join(testFolder(name), 'text.golden.json'), 'utf8'));
    const model = await open(testFolder(name));
    assert.equal([...model.tokenize([text]).ids], ids.slice(0, model.maxLength));
    model.dispose();
  });
}

type Tensors = Record<string, { dtype: string; shape: number[]; data: Float32Array }>;

/** A copy of a golden folder with other weights or fields of the config. */
async function variant(name: string, change: (tensors: Tensors) => Tensors, fields: object = {}): Promise<string> {
  await cp(testFolder(name), folder, { recursive: true });
  const weights = join(folder, 'model.safetensors');
  const tensors = (await (await openSafetensors(weights)).readAll()) as Tensors;
  await writeSafetensors(weights, change(tensors) as Parameters<typeof writeSafetensors>[1]);
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...fields }));
  return folder;
}

/** Names as in files of the bare model, `h.0…`. */
const bare = (tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name.replace(/^transformer\./, ''), tensor]));

const zeros = (...shape: number[]) => {
  return { dtype: 'F32', shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
};

test('files of the bare model, with masks and a copy of the tied head, are the same model', async () => {
  const asPublished = (tensors: Tensors): Tensors => ({
    ...bare(tensors),
    'h.0.attn.bias': zeros(1, 1, 24, 24),
    'h.1.attn.masked_bias': zeros(),
    'lm_head.weight': tensors['transformer.wte.weight']!,
  });
  await compare(await variant('gpt2', asPublished, { reorder_and_upcast_attn: true }), 'gpt2');
});

async function messageOf(path: Promise<string>): Promise<string> {
  const before = tf.memory().numTensors;
  const error: unknown = await open(await path).catch((reason: unknown) => reason);
  assert.instance(error, UserError);
  assert.is(tf.memory().numTensors, before);
  assert.not.match((error as UserError).message, /\n/);
  return (error as UserError).message;
}

test('every tensor that is missing or left over is named, in one line', async () => {
  const strange = (tensors: Tensors): Tensors => {
    const { 'transformer.ln_f.bias': _, 'transformer.h.1.ln_2.weight': __, ...rest } = tensors;
    return { ...rest, 'transformer.h.0.crossattention.q_attn.weight': zeros(2), 'score.weight': zeros(2, 24) };
  };
  assert.match(
    await messageOf(variant('gpt2', strange)),
    /expected tensors transformer\.h\.1\.ln_2\.weight \[24\], transformer\.ln_f\.bias \[24\] by config\.json, found none of these names; the files hold, left over, score\.weight, transformer\.h\.0\.crossattention\.q_attn\.weight\./,
  );
  const more = (tensors: Tensors): Tensors => ({ ...tensors, 'score.weight': zeros(2, 24) });
  assert.match(
    await messageOf(variant('gpt2', more)),
    /expected the tensors of config\.json and no others, found score\.w/,
  );
  const all = (tensors: Tensors): Tensors => ({ ...bare(tensors), ...tensors });
  assert.match(
    await messageOf(variant('gpt2', all)),
    /no others, found h\.\{0,1\}\.attn\.c_attn\.bias, h\.\{0,1\}\.attn\.c/,
  );
  const other = (tensors: Tensors): Tensors => ({ ...tensors, 'lm_head.weight': zeros(280, 24) });
  assert.match(
    await messageOf(variant('gpt2', other)),
    /'lm_head\.weight': expected the values of 'transformer\.wte\.weight', since config\.json ties them, found others/,
  );
  const untied = messageOf(variant('gpt2', (tensors) => tensors, { tie_word_embeddings: false }));
  assert.match(await untied, /expected tensor lm_head\.weight \[280, 24\] by config\.json.*no tensor is left over/);
});

test('fields that are impossible, or change numbers in a way not computed here', async () => {
  const faults: [object, RegExp][] = [
    [{ scale_attn_by_inverse_layer_idx: true }, /scale_attn_by_inverse_layer_idx: expected false.*, found true/],
    [{ scale_attn_weights: false }, /scale_attn_weights: expected true.*, found false/],
    [{ add_cross_attention: true }, /add_cross_attention: expected false.*, found true/],
    [{ activation_function: 'relu' }, /activation_function: expected one of silu, .*gelu_new.*, found "relu"/],
    [{ n_head: 5 }, /n_head: expected a divisor of n_embd \(24\), found 5/],
    [{ n_positions: 25 }, /transformer\.wpe\.weight': expected shape \[25, 24\], found \[24, 24\]/],
    [{ n_inner: 95 }, /mlp\.c_fc\.weight': expected shape \[24, 95\], found \[24, 96\]/],
    [{ vocab_size: 270 }, /vocab_size 270, the tokenizer has ids up to 279/],
    [{ vocab_size: 600 }, /vocab_size 600, the tokenizer has ids up to 279/],
    [{ n_embd: null }, /n_embd: expected an integer/],
  ];
  for (const [fields, message] of faults) {
    assert.match(await messageOf(variant('gpt2', (tensors) => tensors, fields)), message);
  }
});

test('n_positions is the longest text and the end of generation', async () => {
  const model = await open(testFolder('gpt2'));
  assert.is(model.maxLength, 24);
  assert.is(model.tokenize(['the nurse saw the old tree '.repeat(9)]).length, 24);
  assert.throws(() => model.forward(batchOf([Array(25).fill(5)], 0)), /at most 24 ids, one a position.*, found 25/);
  const [ids, rest] = await model.generate([Array(20).fill(7), [1]], { maxNewTokens: 100, eosId: -1 });
  assert.equal([ids!.length, rest!.length], [4, 23]);
  // Token by token as from the whole, each row at its own position.
  const whole = [1];
  while (whole.length < 24) {
    const logits = model.forward(batchOf([whole], 0)).logits!;
    whole.push(argmax(logits.dataSync().subarray((whole.length - 1) * 280)));
    logits.dispose();
  }
  assert.equal(rest, whole.slice(1));
  model.dispose();
});

test('from the residual stream on, a pass ends as the whole one does', async () => {
  const model = await open(testFolder('gpt2'));
  const batch = await (await readGolden('gpt2')).batch();
  for (const site of model.sites.map(({ name }) => name).filter(isResidualStream)) {
    tf.tidy(() => {
      const { captured, logits } = model.forward(batch, { capture: [site] });
      const rest = model.forwardFrom!(site, captured[site]!, batch).logits!;
      assertClose(site, rest, logits!.dataSync(), { tolerance: 1e-6 });
    });
  }
  model.dispose();
});

test('texts without a token', async () => {
  const model = await open(testFolder('gpt2'));
  const none = model.tokenize(['', '']);
  assert.equal([none.n, none.length], [2, 0]);
  const { captured, logits } = model.forward(none, { capture: ['blocks.0.hook_resid_post'] });
  assert.equal(
    [logits!.shape, captured['blocks.0.hook_resid_post']!.shape],
    [
      [2, 0, 280],
      [2, 0, 24],
    ],
  );
  tf.dispose([logits!, captured]);
  model.dispose();
});

test.run();
