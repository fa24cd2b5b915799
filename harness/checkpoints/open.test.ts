/** @file Which layout claims a place: one, none, several; what a person says; what names of sites become. */
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeSafetensors } from '../io/safetensors-write.ts';
import { initBackend } from '../num/backend.ts';
import { tf } from '../num/tf.ts';
import { packageRoot } from '../paths.ts';
import { rejection } from '../testing/failing.ts';
import { localCheckpoint } from './hub.ts';
import { checkpointMethod } from './method.ts';
import { layoutByNames, openCheckpoint } from './open.ts';
import { siteOf } from './sites.ts';

const test = suite('checkpoint places');
const DATA = join(packageRoot, 'harness/checkpoints/testdata');
const scratch = mkdtempSync(join(tmpdir(), 'saxbench-places-'));
test.after(() => rmSync(scratch, { recursive: true }));

const refused = async (path: string, given?: Record<string, unknown>) => {
  const { message } = await rejection(openCheckpoint(path, given));
  assert.not.match(message, /\n/);
  return message;
};

/** A folder with the files of several cases. */
function mixed(name: string, ...cases: string[]): string {
  const folder = join(scratch, name);
  for (const each of cases) cpSync(join(DATA, each), folder, { recursive: true });
  return folder;
}

test('exactly one layout may claim a place', async () => {
  const folder = mixed('two', 'gemma-scope/second/gemma-scope-2-1b-pt/resid_post/layer_12_width_16k_l0_small');
  cpSync(join(DATA, 'dictionary_learning/old/ae.pt'), join(folder, 'ae.pt'));
  assert.match(
    await refused(folder),
    /found those of dictionary_learning \(ae\.pt\) and Gemma Scope \(params\.safetensors\): name the file/,
  );
  assert.is((await openCheckpoint(join(folder, 'params.safetensors'))).layout.id, 'gemma-scope');
  const both = mixed('both', 'saelens/layer_norm', 'sparsify/mlp/layers.10.mlp');
  assert.match(await refused(both), /found those of SAELens .* and sparsify/);
  // As a run says, so does `validate`.
  assert.match((await rejection(layoutByNames(both))).message, /found those of SAELens .* and sparsify/);
  mkdirSync(join(scratch, 'empty'));
  assert.match(await refused(join(scratch, 'empty')), /expected an SAE in a layout of SAELens, .*; found nothing/);
  assert.match(await refused(join(scratch, 'absent')), /absent does not exist/);
  const other = join(scratch, 'other.pt');
  cpSync(join(packageRoot, 'harness/io/testdata/state.golden.pt'), other);
  assert.match(await refused(other), /of plain tensors say which is which, --checkpoint-form W_enc=NAME/);
});

test('an .npz is opened by its headers: damage of its numbers shows when they are read', async () => {
  const place = 'gemma-scope/first/gemma-scope-2b-pt-res/layer_12/width_16k/average_l0_82';
  const folder = mixed('damaged', place);
  const file = join(folder, 'params.npz');
  const bytes = readFileSync(file);
  // The last number of the last array: the byte before the archive's directory.
  const directory = bytes.readUInt32LE(bytes.length - 6);
  bytes[directory - 1]! ^= 1;
  writeFileSync(file, bytes);
  const found = await openCheckpoint(folder);
  assert.is(found.facts.d_in, (await openCheckpoint(join(DATA, place))).facts.d_in);
  if (found.own) throw new Error('a golden case is of another program');
  assert.match((await rejection(found.read())).message, /member '.*' is damaged: its CRC-32/);
});

test('what a person says goes only where the files do not say it', async () => {
  const saeLens = join(DATA, 'saelens/layer_norm');
  assert.match(await refused(saeLens, { k: 3 }), /expected nothing, as its files say all of it; found 'k'/);
  const plain = join(DATA, 'plain/top_k');
  const form = { W_enc: 'enc', W_dec: 'dec.T', b_enc: 'bias', b_dec: 'centre', architecture: 'topk', k: 4 };
  assert.match(await refused(plain, form), /tensor 'steps': .* left over: say which it is, or ignore=steps/);
  // Either way gives codes: without a word from the person, neither is taken.
  const half = { ...form, ignore: 'steps' };
  assert.match(
    await refused(plain, half),
    /apply_b_dec_to_input: expected true where b_dec is subtracted.*found nothing/,
  );
  assert.match(await refused(plain, { ...half, apply_b_dec_to_input: 1 }), /apply_b_dec_to_input: expected true where/);
  assert.is((await openCheckpoint(plain, { ...half, b_dec: 'none', ignore: 'steps+centre' })).facts.d_sae, 24);
  const whole = { ...half, apply_b_dec_to_input: false };
  assert.is((await openCheckpoint(plain, whole)).facts.d_sae, 24);
  assert.match(await refused(plain, { ...whole, architecture: 'fancy' }), /architecture: expected standard, topk/);
  assert.match(await refused(plain, { ...whole, k: 99 }), /k: expected at most d_sae = 24; found 99/);
  assert.match(await refused(plain, { ...whole, W_dec: 'nothing' }), /left over|unknown tensor/);
  assert.match(await refused(plain, { ...whole, w_dec: 'dec' }), /expected architecture, k, .*; found 'w_dec'/);
  const over = join(DATA, 'overcomplete/top_k');
  // Of another architecture than the tensors, or the person, say: never passed over.
  assert.match(await refused(plain, { ...whole, m: 2 }), /form: m: expected no such key.*; found 2/);
  assert.match(await refused(plain, { ...whole, threshold: 'bias' }), /form: threshold: expected no such key/);
  assert.match(await refused(over, { architecture: 'standard', k: 4 }), /form: k: expected no such key.*; found 4/);
  const jump = join(DATA, 'overcomplete/jump');
  assert.match(await refused(jump, { architecture: 'topk' }), /form: architecture: expected no such key/);
  assert.match(await refused(over), /architecture: expected standard, topk, batchtopk .*; found nothing/);
});

test('integers are no weights, and a matrix the wrong way round is told as that', async () => {
  const folder = join(scratch, 'quantised');
  mkdirSync(folder);
  const floats = (...shape: number[]) => ({
    dtype: 'F32' as const,
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5),
  });
  const rest = { W_dec: floats(5, 3), b_enc: floats(5) };
  const form = { architecture: 'standard', b_dec: 'none' };
  const file = join(folder, 'sae.safetensors');
  const W_enc = { dtype: 'I32' as const, shape: [3, 5], data: new Int32Array(15).fill(3) };
  await writeSafetensors(file, { ...rest, W_enc });
  const found = await openCheckpoint(folder, form);
  if (found.own) throw new Error('plain tensors are of no plug-in');
  assert.match((await rejection(found.read())).message, /'W_enc': expected a floating type .*, found I32: quantised/);
  await writeSafetensors(file, { ...rest, W_enc: floats(5, 3) });
  assert.match(
    await refused(folder, form),
    /expected W_enc \[d_in, d_sae\] and W_dec \[d_sae, d_in\]; found \[5, 3\] and \[5, 3\]: NAME\.T transposes/,
  );
  assert.is((await openCheckpoint(folder, { ...form, W_enc: 'W_enc.T' })).facts.d_in, 3);
});

/** A copy of a case with a changed JSON file. */
function changed(from: string, file: string, change: (json: Record<string, unknown>) => void): string {
  const folder = mixed(`changed-${Math.random()}`, from);
  const json = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>;
  change(json);
  writeFileSync(join(folder, file), JSON.stringify(json));
  return folder;
}

test('configurations that contradict the weights, or ask for another computation', async () => {
  const trainer = (change: Record<string, unknown>) => (json: Record<string, unknown>) =>
    Object.assign(json['trainer'] as object, change);
  const dictionary = (change: Record<string, unknown>) =>
    changed('dictionary_learning/batch_top_k', 'config.json', trainer(change));
  assert.match(await refused(dictionary({ dict_class: 'CrossCoder' })), /dict_class: expected one of AutoEncoder/);
  assert.match(
    await refused(dictionary({ dict_class: 'AutoEncoder' })),
    /of a AutoEncoder; found .*: 'bias' is missing/,
  );
  assert.match(await refused(dictionary({ k: 7 })), /k: expected 7, as in config\.json; found 5/);
  assert.match(
    await refused(dictionary({ dict_size: 48 })),
    /dict_size: expected 24, as the weights have it; found 48/,
  );
  assert.match(await refused(dictionary({ dict_class: null, trainer_class: null })), /do not tell the class/);
  const sparsify = (change: Record<string, unknown>) =>
    changed('sparsify/mlp/layers.10.mlp', 'cfg.json', (json) => void Object.assign(json, change));
  assert.match(await refused(sparsify({ temperature: 2 })), /temperature: expected no such key/);
  assert.match(await refused(sparsify({ activation: 'relu' })), /activation: expected topk or groupmax; found "relu"/);
  assert.match(await refused(sparsify({ skip_connection: true })), /'W_skip' is missing/);
  assert.match(await refused(sparsify({ k: 99 })), /k: expected at most 24, found 99/);
  const scope = (change: Record<string, unknown>) =>
    changed('llama-scope/later/L15R', 'config.json', (json) => void Object.assign(json, change));
  assert.match(await refused(scope({ use_glu_encoder: true })), /use_glu_encoder: expected false; found true/);
  assert.match(await refused(scope({ hook_point_out: 'blocks.15.hook_mlp_out' })), /no transcoder/);
  assert.match(await refused(scope({ norm_activation: 'token-wise' })), /norm_activation: expected dataset-wise/);
  const switches = (change: Record<string, unknown>) => changed('switch_sae/switch', 'config.json', trainer(change));
  assert.match(await refused(switches({ experts: 5 })), /experts: expected a divisor of dict_size = 24; found 5/);
  const prisma = (change: Record<string, unknown>) =>
    changed('vit-prisma/standard', 'config.json', (json) => void Object.assign(json, change));
  assert.match(await refused(prisma({ is_transcoder: true })), /its transcoders are not served/);
  assert.match(
    await refused(prisma({ activation_fn_str: 'gelu' })),
    /activation_fn_str: expected relu, topk or tanh-relu/,
  );
});

test('Llama Scope: a threshold is on pre-activations times decoder norms where the configuration counts them', async () => {
  await initBackend('cpu');
  const codesOf = async (sparsity_include_decoder_norm: boolean) => {
    const flag = (json: Record<string, unknown>) => void Object.assign(json, { sparsity_include_decoder_norm });
    const found = await openCheckpoint(
      changed('llama-scope/jumprelu/Llama3_1-8B-Base-L15R-8x', 'hyperparams.json', flag),
    );
    if (found.own) throw new Error('a golden case is of another program');
    const checkpoint = await found.read();
    const method = checkpointMethod(checkpoint);
    const { d_in } = method;
    const x = Array.from({ length: 5 * d_in }, (_, i) => 3 * Math.sin(i));
    const codes = tf.tidy(() => method.encode!(tf.tensor2d(x, [5, d_in])));
    if (codes.kind !== 'dense') throw new Error('expected the codes of a JumpReLU');
    const { W_enc, b_enc, W_dec } = checkpoint.tensors;
    return { x, codes: codes.values.arraySync(), W_enc: W_enc!.data, b_enc: b_enc!.data, W_dec: W_dec!.data };
  };
  const { x, codes, W_enc, b_enc, W_dec } = await codesOf(true);
  const d_sae = b_enc.length;
  const d_in = W_dec.length / d_sae;
  // The input scale is folded, so that these are the original's numbers in units of x, where its 0.4 is a threshold.
  let kept = 0;
  for (const [row, values] of codes.entries()) {
    for (const [latent, code] of values.entries()) {
      let pre = b_enc[latent]!;
      let square = 0;
      for (let i = 0; i < d_in; i++) {
        pre += x[row * d_in + i]! * W_enc[i * d_sae + latent]!;
        square += W_dec[latent * d_in + i]! ** 2;
      }
      const score = pre * Math.sqrt(square);
      assert.ok(Math.abs(code - (score > 0.4 ? score : 0)) < 1e-4, `row ${row}, latent ${latent}: ${code}, ${score}`);
      kept += code > 0 ? 1 : 0;
    }
  }
  assert.ok(kept > 0);
  const count = (rows: number[][]) => rows.flat().filter((value) => value > 0).length;
  assert.is.not(count((await codesOf(false)).codes), kept);
});

test('Gemma Scope 2 of the smallest model: its name has no -pt on the hub', async () => {
  const sub = 'resid_post/layer_12_width_16k_l0_small';
  const folder = join(scratch, 'gemma-scope-2-270m-pt', sub);
  cpSync(
    join(DATA, 'gemma-scope/second/gemma-scope-2-1b-pt', sub, 'params.safetensors'),
    join(folder, 'params.safetensors'),
  );
  assert.is((await openCheckpoint(folder)).facts.model_name, 'gemma-3-270m');
});

test('Gemma Scope: the folders that tell are those of the repository, wherever it lies and it is called from', async () => {
  const at = (...folders: string[]) => {
    const folder = join(scratch, ...folders);
    cpSync(join(DATA, 'gemma-scope/wrong_shape'), folder, { recursive: true });
    return folder;
  };
  const siteAt = async (...folders: string[]) => (await openCheckpoint(at(...folders))).facts.hook_name;
  const layer = ['gemma-scope-2b-pt-mlp', 'layer_12', 'width_16k'];
  for (const above of ['plain-folder', 'embedding', 'layer_3_study', 'res', 'transcoders', 'gemma-scope-9b-it-res'])
    assert.is(await siteAt(above, ...layer), 'blocks.12.hook_mlp_out', above);
  const told = async (...folders: string[]) => {
    const { hook_name, hook_name_out } = (await openCheckpoint(at(...folders))).facts;
    return [hook_name, hook_name_out];
  };
  const first = ['layer_12', 'width_16k', 'average_l0_82'];
  assert.equal(await told('gemma-scope-2b-pt-att', ...first), ['blocks.12.attn.hook_z', undefined]);
  assert.equal(await told('gemma-scope-2b-pt-transcoders', ...first), [
    'blocks.12.ln2.hook_normalized',
    'blocks.12.hook_mlp_out',
  ]);
  const second = 'gemma-scope-2-1b-pt/transcoder/layer_12_width_16k_l0_small_affine';
  const { facts } = await openCheckpoint(join(DATA, 'gemma-scope/second_transcoder', second));
  assert.is(facts.hook_name, 'blocks.12.mlp.hook_in');
  assert.is(await siteAt('layer_3', 'embedding', 'gemma-scope-2b-pt-res', 'embedding', 'width_4k'), 'hook_embed');

  const place = join(DATA, 'gemma-scope/embedding/gemma-scope-2b-pt-res/embedding/width_4k/average_l0_6');
  const read = async (path: string) => {
    const found = await openCheckpoint(path);
    if (found.own) throw new Error('a golden case is of another program');
    return { facts: found.facts, tensors: (await found.read()).tensors };
  };
  const whole = await read(place);
  const before = process.cwd();
  process.chdir(place);
  try {
    for (const near of ['.', 'params.npz']) assert.equal(await read(near), whole, near);
  } finally {
    process.chdir(before);
  }
});

test('names of sites', () => {
  const cases: [string, string][] = [
    ['blocks.3.hook_resid_pre', 'blocks.3.hook_resid_pre'],
    ['layers.10.mlp', 'blocks.10.hook_mlp_out'],
    ['layers.10', 'blocks.10.hook_resid_post'],
    ['gpt_neox.layers.2.attention', 'blocks.2.hook_attn_out'],
    ['model.layers.2.self_attn', 'blocks.2.hook_attn_out'],
    ['h.7.mlp', 'blocks.7.hook_mlp_out'],
    ['resid_post_layer_8', 'blocks.8.hook_resid_post'],
    ['mlp_layer_0', 'blocks.0.hook_mlp_out'],
    ['somewhere', 'somewhere'],
  ];
  for (const [name, site] of cases) assert.is(siteOf(name), site, name);
  assert.is(siteOf(undefined), undefined);
});

test('a place on the hub: its own files only, by revision; other references are refused', async () => {
  const sha = '0123456789abcdef0123456789abcdef01234567';
  const folder = join(DATA, 'sparsify/mlp/layers.10.mlp');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    asked.push(url);
    if (url === '/api/models/org/saes/revision/v2') {
      const names = [
        'layers.10.mlp/cfg.json',
        'layers.10.mlp/sae.safetensors',
        'layers.9/sae.safetensors',
        'README.md',
      ];
      response.end(JSON.stringify({ sha, siblings: names.map((rfilename) => ({ rfilename })) }));
      return;
    }
    const name = url.split('/').at(-1)!;
    const body = readFileSync(join(folder, name));
    const hash = createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex');
    const headers = { 'content-length': body.length, etag: `"${hash}"` };
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const before = { ...process.env };
  const cwd = process.cwd();
  Object.assign(process.env, { HF_ENDPOINT: `http://127.0.0.1:${port}`, HF_HUB_CACHE: join(scratch, 'hub') });
  try {
    const place = await localCheckpoint('hub:org/saes/layers.10.mlp@v2');
    const { facts, layout } = await openCheckpoint(place);
    assert.equal([layout.id, facts.d_sae, facts.hook_name], ['sparsify', 24, 'blocks.10.hook_mlp_out']);
    const files = asked.filter((url) => url.includes('/resolve/')).map((url) => url.split(sha)[1]);
    assert.ok(files.length > 0 && files.every((file) => file!.startsWith('/layers.10.mlp/')), files.join());
    process.env['HF_HUB_OFFLINE'] = '1';
    assert.is(await localCheckpoint('hub:org/saes/layers.10.mlp@v2'), place);
    assert.match((await rejection(localCheckpoint('hub:org/saes/layers.9@v2'))).message, /not in the cache/);
    assert.match((await rejection(localCheckpoint('hub:org/saes/layers.9@v3'))).message, /not in the cache/);
    // Who says hub: means no folder of that name that lies about.
    mkdirSync(join(scratch, 'org/saes'), { recursive: true });
    process.chdir(scratch);
    assert.match((await rejection(localCheckpoint('hub:org/saes'))).message, /not in the cache/);
    assert.match((await rejection(localCheckpoint('hub:org'))).message, /expected hub:OWNER\/REPO\/PATH@REVISION/);
    assert.match((await rejection(localCheckpoint('hub:org/saes/../x'))).message, /without '\.\.'/);
    assert.is(await localCheckpoint('/a/b'), '/a/b');
  } finally {
    process.chdir(cwd);
    for (const name of ['HF_ENDPOINT', 'HF_HUB_CACHE', 'HF_HUB_OFFLINE']) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    server.close();
    server.closeAllConnections();
  }
});

test.run();
