/** @file Image encoders and SigLIP against PyTorch: every site and the embeddings; positions of other grids. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clip, ImageEncoderSubject } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { configReader } from './config.ts';
import { unitRows } from './contrastive.ts';
import dinov2, { readDinov2 } from './dinov2.ts';
import { interpolateGrid } from './interpolate-positions.ts';
import siglip, { readSiglip } from './siglip.ts';
import { assertClose, readGolden, testFolder } from './testing/golden.ts';
import vit, { readVit } from './vit.ts';

const test = suite('models/subjects/image-encoders');
test.before(async () => {
  await initBackend('auto');
});

const FOLDERS = {
  vit: [vit, 10, 1],
  'vit-classifier': [vit, 10, 1],
  dinov2: [dinov2, 17, 1],
  'dinov2-registers': [dinov2, 8, 4],
} as const;

for (const [name, [family, tokens, prefix]] of Object.entries(FOLDERS)) {
  test(`${name}: every site and the embeddings are transformers'`, async () => {
    const golden = await readGolden(name);
    const empty = tf.memory().numTensors;
    const model = (await family.load(testFolder(name), { id: 'test' })) as ImageEncoderSubject;
    const pixels = await golden.pixels();
    const loaded = tf.memory().numTensors;
    assert.equal([model.imageTokens, model.imagePrefix, model.imageSize], [tokens, prefix, pixels.shape[1]]);
    const { embeds, captured } = model.forwardImage(pixels, { capture: model.sites.map((site) => site.name) });
    for (const { name: site } of model.sites) assertClose(site, captured[site]!, (await golden.values(site)).data);
    assertClose('embeddings', embeds!, (await golden.values('vision.embed')).data);
    const plain = model.forwardImage(pixels);
    assertClose('embeddings without a look inside', plain.embeds!, embeds!.dataSync());
    const last = 'vision.blocks.1.hook_resid_post';
    const rest = model.forwardImageFrom!(last, captured[last]!);
    assertClose('the rest of the pass', rest.embeds!, embeds!.dataSync());
    tf.dispose([embeds!, captured, plain.embeds!, rest.embeds!]);
    assert.is(tf.memory().numTensors, loaded);
    pixels.dispose();
    model.dispose();
    assert.is(tf.memory().numTensors, empty);
  });
}

test('siglip: every site, the embeddings and the logits are transformers’; texts are padded to their full length', async () => {
  const golden = await readGolden('siglip');
  const batch = await golden.batch();
  const model = (await siglip.load(testFolder('siglip'), { id: 'test' })) as Clip;
  const pixels = await golden.pixels();
  const sitesOf = (modality: string) => model.sites.filter((s) => s.modality === modality).map((s) => s.name);
  const image = model.forwardImage(pixels, { capture: sitesOf('image') });
  const text = model.forwardText(batch, { capture: sitesOf('text') });
  for (const { name: site } of model.sites) {
    assertClose(site, image.captured[site] ?? text.captured[site]!, (await golden.values(site)).data);
  }
  const cosines = tf.tidy(() => tf.matMul(unitRows(image.embeds!), unitRows(text.embeds!), false, true));
  const logits = tf.add(tf.mul(cosines, model.logitScale), model.logitBias!);
  assertClose('logits', logits, (await golden.values('logits_per_image')).data);
  assert.equal([model.imageTokens, model.imagePrefix], [9, 0]);
  const words = model.tokenize(['w5', 'w6 w7']);
  assert.equal([words.length, [...words.ids.slice(0, 3)], words.mask.includes(0)], [10, [5, 39, 39], false]);
  assert.throws(() => model.forwardText({ ...words, length: 4 }), /expected 10 ids each, padding included, found 4/);
  tf.dispose([image.embeds!, image.captured, text.embeds!, text.captured, cosines, logits, pixels]);
  model.dispose();
});

test('a grid is what it was on its own size, and constants stay', () => {
  const rows = Float32Array.from({ length: 9 * 2 }, (_, i) => Math.sin(i));
  for (const antialias of [false, true]) {
    interpolateGrid(rows, 2, 3, 3, antialias).forEach((value, i) => {
      assert.ok(Math.abs(value - rows[i]!) < 1e-6);
    });
    for (const to of [1, 2, 7]) {
      const flat = interpolateGrid(new Float32Array(9).fill(2), 1, 3, to, antialias);
      assert.ok(
        flat.every((value) => Math.abs(value - 2) < 1e-6),
        `${to}`,
      );
    }
  }
});

test('siglip: a tokenizer that does not say what texts are padded with is refused, since padding is read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-siglip-'));
  await cp(testFolder('siglip'), folder, { recursive: true });
  const path = join(folder, 'tokenizer_config.json');
  const { pad_token: _, ...config } = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify(config));
  const message = await siglip.load(folder, { id: 'x' }).then(
    () => 'nothing',
    (error: Error) => error.message,
  );
  assert.match(message, /tokenizer: expected a pad_token, since padding is read, found none\.$/);
  await rm(folder, { recursive: true });
});

test('images of another size than the positions’ are refused where nothing interpolates them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-vit-'));
  await cp(testFolder('vit'), folder, { recursive: true });
  const refusal = async (processor: object, family = vit as typeof dinov2): Promise<string> => {
    await writeFile(join(folder, 'preprocessor_config.json'), JSON.stringify(processor));
    return family.load(folder, { id: 'x' }).then(
      (model) => {
        model.dispose();
        return 'nothing';
      },
      (error: Error) => error.message,
    );
  };
  assert.match(await refusal({ size: 16 }), /expected images of config.json's 12, found 16/);
  assert.match(await refusal({ size: { height: 12, width: 8 } }), /expected images of square ones, found 8 x 12/);
  assert.match(
    await refusal({ image_processor_type: 'ConvNextImageProcessor' }),
    /image_processor_type: expected one of/,
  );
  await cp(testFolder('dinov2'), folder, { recursive: true });
  assert.match(await refusal({ crop_size: 18 }, dinov2), /expected images of a multiple of patch_size \(4\), found 18/);
  const weights = await readFile(join(folder, 'model.safetensors'));
  await writeFile(join(folder, 'model.safetensors'), weights.subarray(0, 2000));
  assert.match(await refusal({ crop_size: 12 }, dinov2), /model.safetensors/);
  await rm(folder, { recursive: true });
});

test('what is not computed here is refused by name', () => {
  const reader = (json: Record<string, unknown>) => configReader(json, 'config.json');
  assert.is(readVit(reader({})).vision.stack.d, 768);
  assert.is(
    readDinov2(reader({ hidden_size: 1536, num_attention_heads: 24, use_swiglu_ffn: true })).vision.stack.mlp,
    4096,
  );
  assert.throws(() => readVit(reader({ image_size: 225 })), /image_size: expected a multiple of patch_size/);
  assert.throws(() => readVit(reader({ num_channels: 1 })), /num_channels: expected 3/);
  assert.throws(() => readSiglip(reader({ vision_config: { vision_use_head: false } })), /vision_use_head/);
  assert.throws(
    () => readSiglip(reader({ text_config: { projection_size: 512 } })),
    /projection_size: expected the vision/,
  );
});

test.run();
