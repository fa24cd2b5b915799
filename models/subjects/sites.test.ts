/** @file Reading and replacing activations at the sites of both families. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type {
  Clip,
  ForwardOptions,
  Intervention,
  LanguageModel,
  Tensor3D,
  TokenBatch,
} from '../../harness/contract.ts';
import { isResidualStream } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import clip from './clip.ts';
import llama from './llama.ts';
import { assertClose, readGolden, testFolder } from './testing/golden.ts';

const test = suite('models/subjects/sites');
let lm: LanguageModel;
let both: Clip;
let batch: TokenBatch;
test.before(async () => {
  await initBackend('wasm');
  lm = (await llama.load(testFolder('llama-sharded'), { id: 'lm' })) as LanguageModel;
  both = (await clip.load(testFolder('clip-quick-gelu'), { id: 'clip' })) as Clip;
  batch = await (await readGolden('llama-sharded')).batch();
});
test.after(() => {
  lm.dispose();
  both.dispose();
});

/** Logits of the language model, read back. */
function logitsWith(options: ForwardOptions, input = batch): Float32Array {
  return tf.tidy(() => lm.forward(input, options).logits!.dataSync().slice() as Float32Array);
}

test('an intervention that returns its input changes nothing, bit for bit', () => {
  const clean = logitsWith({});
  const interventions = lm.sites.map(({ name }): Intervention => ({ site: name, apply: (x) => x }));
  assert.equal(logitsWith({ interventions }), clean);
});

test('captured values put back at any site of the residual stream reproduce the logits of another input', () => {
  const other = { ...batch, ids: batch.ids.map((id) => (id + 13) % 50) };
  const clean = logitsWith({});
  for (const site of ['blocks.0.hook_resid_pre', 'blocks.0.hook_resid_post', 'blocks.1.hook_resid_mid']) {
    const value = lm.forward(batch, { capture: [site], output: false }).captured[site]!;
    const spliced = logitsWith({ interventions: [{ site, apply: () => value }] }, other);
    assert.equal(spliced, clean, site);
    assert.not.equal(logitsWith({}, other), clean);
    value.dispose();
  }
});

test('from the residual stream on, a pass ends as the whole one does, steered on the way or not', () => {
  const steered: Intervention = { site: 'blocks.1.hook_resid_mid', apply: (x) => tf.mul(x, 1.5) };
  for (const site of lm.sites.map(({ name }) => name).filter(isResidualStream)) {
    tf.tidy(() => {
      const { captured, logits } = lm.forward(batch, { capture: [site], interventions: [steered] });
      const rest = lm.forwardFrom!(site, captured[site]!, batch, { interventions: [steered] }).logits!;
      assertClose(site, rest, logits!.dataSync(), { tolerance: 0 });
    });
  }
  const x = tf.zeros([1, 1, 24]) as Tensor3D;
  assert.throws(() => lm.forwardFrom!('blocks.0.hook_mlp_out', x, batch), /hook_mlp_out: expected one of the residual/);
  x.dispose();
});

test('the rest of the image tower gives the embedding of the whole, whatever is read on the way', () => {
  tf.tidy(() => {
    const pixels = tf.randomNormal([2, 12, 12, 3], 0, 1, 'float32', 7) as Parameters<Clip['forwardImage']>[0];
    const sites = both.sites.map(({ name }) => name).filter((name) => name.startsWith('vision.'));
    // With every site wanted the last block computes all columns; with none, the class token alone.
    const { captured, embeds } = both.forwardImage(pixels, { capture: sites });
    assertClose('alone', both.forwardImage(pixels).embeds!, embeds!.dataSync(), { tolerance: 1e-6 });
    for (const site of sites.filter(isResidualStream)) {
      const rest = both.forwardImageFrom!(site, captured[site]!).embeds!;
      assertClose(site, rest, embeds!.dataSync(), { tolerance: 1e-6 });
    }
  });
});

test('every site takes part: replacing its value by zero changes the logits', () => {
  const clean = logitsWith({});
  for (const { name } of lm.sites) {
    const changed = logitsWith({ interventions: [{ site: name, apply: (x) => tf.zerosLike(x) }] });
    assert.not.equal(changed, clean, name);
  }
});

test('the norm before the feed-forward layer, with its gain and without', () => {
  const site = 'blocks.0.ln2.hook_normalized';
  tf.tidy(() => {
    const { captured } = lm.forward(batch, {
      capture: [site, 'blocks.0.mlp.hook_in', 'blocks.0.attn.hook_z'],
      output: false,
    });
    const squares = tf.mean(tf.square(captured[site]!), -1).dataSync();
    assert.ok(
      squares.every((value) => value > 0.99 && value <= 1.00001),
      'a mean square of 1, less what epsilon takes',
    );
    const gain = tf.div(captured['blocks.0.mlp.hook_in']!, captured[site]!) as Tensor3D;
    const rows = tf.reshape(gain, [-1, 24]).arraySync() as number[][];
    const worst = Math.max(...rows.flatMap((row) => row.map((value, i) => Math.abs(value - rows[0]![i]!))));
    assert.ok(worst < 1e-4, 'the same gain in every row');
    // Heads times their width, which need not be the stream's.
    assert.is(
      captured['blocks.0.attn.hook_z']!.shape[2],
      lm.sites.find(({ name }) => name === 'blocks.0.attn.hook_z')!.d,
    );
  });
});

test('sites add up: pre + attention = mid, mid + mlp = post, post of a block is pre of the next', () => {
  const capture = lm.sites.map(({ name }) => name);
  tf.tidy(() => {
    const { captured } = lm.forward(batch, { capture, output: false });
    const at = (hook: string) => captured[hook] as Tensor3D;
    const mid = tf.add(at('blocks.0.hook_resid_pre'), at('blocks.0.hook_attn_out'));
    assertClose('mid', mid, at('blocks.0.hook_resid_mid').dataSync(), { tolerance: 0 });
    const post = tf.add(mid, at('blocks.0.hook_mlp_out'));
    assertClose('post', post, at('blocks.0.hook_resid_post').dataSync(), { tolerance: 0 });
    assertClose('next', post, at('blocks.1.hook_resid_pre').dataSync(), { tolerance: 0 });
  });
});

test('what is captured is what the network goes on with, after several interventions in order', () => {
  const site = 'blocks.0.hook_resid_post';
  const interventions: Intervention[] = [
    { site, apply: (x) => tf.zerosLike(x) },
    { site, apply: (x) => tf.add(x, 2) },
  ];
  const { captured } = lm.forward(batch, { capture: [site], interventions, output: false });
  assert.ok(captured[site]!.dataSync().every((value) => value === 2));
  tf.dispose(captured);
});

test('output: false gives no output and stops after the last site that is wanted', () => {
  let visits = 0;
  const later: Intervention = {
    site: 'blocks.1.hook_resid_pre',
    apply: (x) => {
      visits++;
      return x;
    },
  };
  const site = 'blocks.0.hook_attn_out';
  const result = lm.forward(batch, { capture: [site], interventions: [later], output: false });
  assert.equal([result.logits, Object.keys(result.captured), visits], [undefined, [site], 0]);
  tf.dispose(result.captured);
  assert.equal(lm.forward(batch, { output: false }), { captured: {} });
});

test('padding changes nothing at real positions', () => {
  const length = 12;
  const ids = new Int32Array(batch.n * length).fill(49);
  const mask = new Uint8Array(batch.n * length);
  for (let row = 0; row < batch.n; row++) {
    ids.set(batch.ids.subarray(row * batch.length, (row + 1) * batch.length), row * length);
    mask.set(batch.mask.subarray(row * batch.length, (row + 1) * batch.length), row * length);
  }
  const narrow = logitsWith({});
  const wide = logitsWith({}, { n: batch.n, length, ids, mask });
  for (let row = 0; row < batch.n; row++) {
    for (let column = 0; column < batch.length; column++) {
      if (!batch.mask[row * batch.length + column]) continue;
      const from = (row * batch.length + column) * 50;
      const to = (row * length + column) * 50;
      for (let id = 0; id < 50; id++) assert.ok(Math.abs(narrow[from + id]! - wide[to + id]!) < 1e-5);
    }
  }
});

test('pooled sites have one position: an embedding is replaced before it is the output', () => {
  const pixels = tf.zeros([2, 12, 12, 3]) as Parameters<Clip['forwardImage']>[0];
  const shapes: number[][] = [];
  const embed: Intervention = {
    site: 'vision.embed',
    apply: (x, { mask }) => {
      shapes.push(x.shape, mask.shape, [...mask.dataSync()]);
      return tf.onesLike(x);
    },
  };
  const { embeds } = both.forwardImage(pixels, { interventions: [embed] });
  assert.equal(shapes, [
    [2, 1, 12],
    [2, 1],
    [1, 1],
  ]);
  assert.ok(embeds!.dataSync().every((value) => value === 1));
  tf.dispose([pixels, embeds!]);
});

test('interventions can be differentiated through', () => {
  const direction = tf.ones([24]);
  const steered = (v: typeof direction) => {
    const interventions: Intervention[] = [{ site: 'blocks.0.hook_resid_post', apply: (x) => tf.add(x, v) }];
    return tf.mean(tf.square(lm.forward(batch, { interventions }).logits!));
  };
  const gradient = tf.grad((v) => steered(v as typeof direction))(direction);
  const step = 1e-2;
  const along = tf.tidy(() => {
    const [up, down] = [tf.add(direction, step), tf.sub(direction, step)].map((v) => steered(v as typeof direction));
    return tf.div(tf.sub(up!, down!), 2 * step).dataSync()[0]!;
  });
  const sum = gradient.dataSync<'float32'>().reduce((total, value) => total + value, 0);
  assert.ok(Math.abs(sum - along) < 2e-2 * Math.max(1, Math.abs(along)), `${sum}, finite differences ${along}`);
  tf.dispose([direction, gradient]);
});

test('unknown sites get a suggestion, wrong shapes are named', () => {
  assert.throws(
    () => lm.forward(batch, { capture: ['blocks.0.hook_resid_pst'] }),
    /Did you mean: blocks.0.hook_resid_p/,
  );
  const wrong: Intervention = { site: 'blocks.0.hook_resid_pre', apply: (x) => tf.slice(x, [0, 0, 0], [1, -1, -1]) };
  assert.throws(() => lm.forward(batch, { interventions: [wrong] }), /blocks.0.hook_resid_pre: expected an activation/);
});

test('passes and refused passes leave no tensors behind', () => {
  const before = tf.memory().numTensors;
  const wrong: Intervention = { site: 'blocks.1.hook_resid_pre', apply: (x) => tf.sum(x) as unknown as Tensor3D };
  assert.throws(() => lm.forward(batch, { capture: ['blocks.0.hook_mlp_out'], interventions: [wrong] }));
  const { logits, captured } = lm.forward(batch, { capture: lm.sites.map(({ name }) => name) });
  tf.dispose([logits!, captured]);
  assert.is(tf.memory().numTensors, before);
});

test.run();
