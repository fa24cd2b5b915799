/** @file CLIP against PyTorch: every site, the embeddings and the logits, of both activations and both poolings. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clip, Tensor2D } from '../../harness/contract.ts';
import { createRng, readJson } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import clip, { readClip } from './clip.ts';
import { configReader } from './config.ts';
import { unitRows } from './contrastive.ts';
import { imageForward, textForward } from './dual-encoder.ts';
import { initDualEncoder } from './init.ts';
import openClip, { readOpenClip } from './open-clip.ts';
import { assertClose, readGolden, testFolder } from './testing/golden.ts';
import type { TowerSpec } from './tower.ts';

const test = suite('models/subjects/clip');
test.before(async () => {
  await initBackend('wasm');
});

const open = (name: string) =>
  (name === 'open-clip' ? openClip : clip).load(testFolder(name), { id: 'test' }) as Promise<Clip>;

const FOLDERS = {
  'clip-quick-gelu': 'F32, quick_gelu, pooled at the EOS token',
  'clip-gelu-f16': 'F16, gelu, pooled at the largest id (eos_token_id 2)',
  'open-clip': 'by open_clip, in its own layout',
};

for (const [name, what] of Object.entries(FOLDERS)) {
  test(`${name}: every site, the embeddings and the logits are transformers' (${what})`, async () => {
    const golden = await readGolden(name);
    const batch = await golden.batch();
    const empty = tf.memory().numTensors;
    const model = await open(name);
    const pixels = await golden.pixels();
    const loaded = tf.memory().numTensors;
    const sitesOf = (modality: string) => model.sites.filter((s) => s.modality === modality).map((s) => s.name);
    const image = model.forwardImage(pixels, { capture: sitesOf('image') });
    const text = model.forwardText(batch, { capture: sitesOf('text') });
    for (const { name: site, kind, d } of model.sites) {
      const captured = image.captured[site] ?? text.captured[site]!;
      assert.is(captured.shape[2], d);
      assert.is(captured.shape[1] === 1, kind === 'pooled');
      const mask = site.startsWith('text.') && kind === 'tokens' ? batch.mask : undefined;
      assertClose(site, captured, (await golden.values(site)).data, { mask });
    }
    assertClose('image embeddings', image.embeds!, (await golden.values('vision.embed')).data);
    const cosines = tf.tidy(() => tf.matMul(unitRows(image.embeds!), unitRows(text.embeds!), false, true));
    const logits = tf.mul(cosines, model.logitScale);
    assertClose('logits', logits, (await golden.values('logits_per_image')).data);
    tf.dispose([image.embeds!, image.captured, text.embeds!, text.captured, cosines, logits]);
    assert.is(tf.memory().numTensors, loaded);
    pixels.dispose();
    model.dispose();
    assert.is(tf.memory().numTensors, empty);
  });
}

test('sites of both towers are named, with the class token in the vision sequence', async () => {
  const model = await open('clip-quick-gelu');
  assert.equal(model.sites[0], { name: 'vision.blocks.0.hook_resid_pre', d: 12, modality: 'image', kind: 'tokens' });
  assert.equal(model.sites.at(-1), { name: 'text.embed', d: 12, modality: 'text', kind: 'pooled' });
  assert.is(model.sites.length, 2 * (2 * 5 + 2));
  const pixels = tf.zeros([1, 12, 12, 3]) as Parameters<Clip['forwardImage']>[0];
  const { captured, embeds } = model.forwardImage(pixels, { capture: ['vision.blocks.1.hook_mlp_out'], output: false });
  assert.equal(captured['vision.blocks.1.hook_mlp_out']!.shape, [1, 10, 12]);
  assert.is(embeds, undefined);
  tf.dispose([pixels, captured]);
  model.dispose();
});

test('padding changes nothing: a text alone and beside a longer one', async () => {
  const model = await open('clip-gelu-f16');
  const both = model.forwardText(model.tokenize(['w5', 'w6 w7 w8 w9']));
  const alone = model.forwardText(model.tokenize(['w5']));
  const first = tf.slice(both.embeds!, [0, 0], [1, 12]);
  assertClose('embedding', first, alone.embeds!.dataSync(), { tolerance: 1e-5 });
  tf.dispose([both.embeds!, alone.embeds!, first]);
  model.dispose();
});

test('long texts keep their end-of-text token', async () => {
  const model = await open('clip-quick-gelu');
  const batch = model.tokenize([Array.from({ length: 30 }, () => 'w7').join(' ')]);
  assert.is(batch.length, 10);
  assert.equal([batch.ids[0], batch.ids[9]], [38, 39]);
  model.dispose();
});

test('a text without the end of a text by the config, as of a tokenizer of another model, is refused', async () => {
  const model = await open('clip-quick-gelu');
  const batch = model.tokenize(['w5', 'w6']);
  const other = { ...batch, ids: batch.ids.map((id, i) => (i >= batch.length && id === 39 ? 37 : id)) };
  assert.throws(() => model.forwardText(other), /^texts: row 1: expected the id 39, which ends a text/);
  model.dispose();
});

test('images are preprocessed to the size of the model', async () => {
  const model = await open('clip-quick-gelu');
  const grey = { width: 24, height: 12, data: new Uint8Array(24 * 12 * 3).fill(128) };
  const pixels = await model.preprocess([grey]);
  assert.equal(pixels.shape, [1, 12, 12, 3]);
  assertClose('red', tf.slice(pixels, [0, 5, 5, 0], [1, 1, 1, 1]), [(128 / 255 - 0.48145466) / 0.26862954], {
    tolerance: 1e-5,
  });
  pixels.dispose();
  model.dispose();
});

test('an addition to the last block, of which one column is wanted, is made in all columns', async () => {
  const model = await open('clip-quick-gelu');
  const pixels = tf.ones([2, 12, 12, 3]) as Parameters<Clip['forwardImage']>[0];
  const site = 'vision.blocks.1.hook_resid_pre';
  const { captured, embeds } = model.forwardImage(pixels, { capture: [site] });
  const [n, length] = captured[site]!.shape;
  const seen: number[] = [];
  const apply = (x: Tensor2D) => {
    seen.push(x.shape[0]);
    return tf.mul<Tensor2D>(x, 0);
  };
  const same = model.forwardImage(pixels, { additions: [{ block: 1, layer: 'q', apply }] });
  assert.equal(seen, [n! * length!]);
  assertClose('embeddings', same.embeds!, embeds!.dataSync() as Float32Array);
  tf.dispose([pixels, captured, embeds!, same.embeds!]);
  model.dispose();
});

test('wrong pixels, too long texts and sites of the other tower are refused', async () => {
  const model = await open('clip-quick-gelu');
  const small = tf.zeros([1, 8, 8, 3]) as Parameters<Clip['forwardImage']>[0];
  assert.throws(() => model.forwardImage(small), /pixels: expected \[n, 12, 12, 3\], found \[1,8,8,3\]/);
  const ids = new Int32Array(11);
  const long = { n: 1, length: 11, ids, mask: new Uint8Array(11).fill(1) };
  assert.throws(() => model.forwardText(long), /at most 10 ids, found 11/);
  const batch = model.tokenize(['w5']);
  assert.throws(() => model.forwardText(batch, { capture: ['vision.embed'] }), /unknown site 'vision.embed'/);
  small.dispose();
  model.dispose();
});

test('legacy configs: absent sizes are those of ViT-B/32, and text_config_dict goes before text_config', () => {
  const parse = (json: Record<string, unknown>) => readClip(configReader(json, 'clip config.json'));
  const config = parse({
    projection_dim: 512,
    text_config: { hidden_size: 99 },
    text_config_dict: { eos_token_id: 2 },
    vision_config: {},
  });
  assert.is(config.text.stack.d, 512);
  assert.is(config.text.eosId, 2);
  assert.equal([config.vision.stack.d, config.vision.patchSize, config.vision.imageSize], [768, 32, 224]);
  assert.is(config.vision.stack.activation, 'quick_gelu');
  assert.throws(() => parse({ vision_config: { patch_size: 33 } }), /image_size: expected a multiple/);
  assert.throws(() => parse({ text_config: { hidden_act: 'relu' } }), /text_config: field hidden_act/);
});

test('OpenCLIP: its own preprocessing, and what is not computed here is refused by name', async () => {
  const model = await open('open-clip');
  const white = { width: 15, height: 24, data: new Uint8Array(15 * 24 * 3).fill(255) };
  const pixels = await model.preprocess([white]);
  assertClose('corner', tf.slice(pixels, [0, 0, 0, 0], [1, 1, 1, 3]), [0.5 / 0.2, 0.6 / 0.3, 0.7 / 0.4], {
    tolerance: 1e-6,
  });
  pixels.dispose();
  model.dispose();
  const read = (model_cfg: object) => readOpenClip(configReader({ model_cfg }, 'open_clip_config.json'));
  const plain = { embed_dim: 512, vision_cfg: {}, text_cfg: {} };
  assert.equal([read(plain).vision.stack.heads, read(plain).text.maxLength], [12, 77]);
  assert.is(read(plain).vision.stack.activation, 'gelu');
  assert.throws(() => read({ ...plain, vision_cfg: { timm_model_name: 'x' } }), /vision_cfg: field timm_model_name/);
  assert.throws(() => read({ ...plain, text_cfg: { hf_model_name: 'roberta' } }), /hf_model_name/);
  const tanh = { act_kwargs: { approximate: 'tanh' } };
  assert.throws(() => read({ ...plain, vision_cfg: tanh }), /vision_cfg: field act_kwargs: expected false/);
  assert.throws(() => read({ ...plain, text_cfg: tanh }), /text_cfg: field act_kwargs: expected false/);
  const clean = { tokenizer_kwargs: { clean: 'canonicalize' } };
  assert.throws(() => read({ ...plain, text_cfg: clean }), /text_cfg: field tokenizer_kwargs/);
  assert.throws(() => read({ ...plain, vision_cfg: { pool_type: 'avg' } }), /pool_type: expected one of tok/);
  assert.throws(() => read({ ...plain, vision_cfg: { layers: [3, 4, 6, 3] } }), /layers: expected an integer/);
});

test('norms with a gain of 1 + weight, as a family of both towers may have them, have it outside of blocks too', async () => {
  const config = await readJson(join(testFolder('clip-quick-gelu'), 'config.json'), 'test');
  const plain = readClip(configReader(config as Record<string, unknown>, 'test'));
  const offset = <T extends TowerSpec>(tower: T): T => ({ ...tower, stack: { ...tower.stack, gainOffset: true } });
  const pixels = await (await readGolden('clip-quick-gelu')).pixels();
  const batch = await (await readGolden('clip-quick-gelu')).batch();
  // Fresh weights of such norms are 0, of others 1.
  const embeds = [plain, { ...plain, vision: offset(plain.vision), text: offset(plain.text) }].map((model) => {
    const params = initDualEncoder(model, createRng(1));
    const both = [imageForward(params, model, pixels).embeds!, textForward(params, model, batch).embeds!];
    const values = both.map((x) => x.dataSync());
    tf.dispose([params, both]);
    return values;
  });
  assert.equal(embeds[1], embeds[0]);
  pixels.dispose();
});

test('folders name their files in errors', async () => {
  const missing = join(testFolder('clip-quick-gelu'), 'nothing-here');
  let message = '';
  await clip.load(missing, { id: 'x' }).catch((error: Error) => {
    message = error.message;
  });
  assert.match(message, /nothing-here.*config\.json/);
});

test.run();
