/** @file The PyTorch peers: losses of the training rows are ours on the same weights and inputs; names of variants. Skipped without PyTorch. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import gated from '../../models/sae/gated.ts';
import kron from '../../models/sae/kron.ts';
import matryoshka from '../../models/sae/matryoshka.ts';
import switchSae from '../../models/sae/switch.ts';
import topk from '../../models/sae/topk.ts';
import type { NamedTensors, SaeDefinition, Tensor1D, TrainState } from '../contract.ts';
import { initBackend } from '../num/backend.ts';
import { createRng } from '../num/rng.ts';
import { type Tensor, tf } from '../num/tf.ts';
import { packageRoot } from '../paths.ts';
import { inFolder } from '../testing/failing.ts';
import { withDefaults } from '../train/options.ts';
import { syntheticData, writeSynthetic } from './synthetic/data.ts';

const test = suite('losses of the peers');
const [d, f, k, n] = [8, 64, 4, 24];
const shape = { d_in: d, d_sae: f, d_out: d };
await initBackend('auto');

/** Each variant by its name in the table; `names` are those of the peer's parameters where they are not ours in lower case. */
const cases: {
  name: string;
  definition: SaeDefinition<unknown>;
  options: Record<string, number | null>;
  names?: Record<string, string>;
  /** What biases are lowered by: few latents are active then, and the variant has a dense and a sparse way. */
  lower?: number;
}[] = [
  { name: 'topk', definition: topk, options: { k } },
  { name: 'matryoshka', definition: matryoshka, options: { k } },
  { name: 'gated', definition: gated, options: { targetL0: null }, names: { b_gate: 'b_enc' }, lower: 2 },
  { name: 'switch-4', definition: switchSae, options: { k, experts: 4 } },
  { name: 'kron-2-4', definition: kron, options: { k, m: 2, n: 4 } },
];

/** Losses of the peer, one for each way in which it computes them. */
function peerLosses(name: string, given: object): number[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'saxbench-peer-'));
  try {
    const file = path.join(folder, 'given.json');
    writeFileSync(file, JSON.stringify(given));
    const script = path.join(packageRoot, 'harness/perf/peers/sae_train.py');
    const { stdout, stderr } = spawnSync('python3', [script, name, `${d}`, `${f}`, `${k}`, `${n}`, file, '1'], {
      encoding: 'utf8',
    });
    assert.ok(stdout.trim(), stderr);
    return JSON.parse(stdout.trim().split('\n').at(-1)!);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A weight as the peer holds it: a switch SAE's encoder is [experts, d, width] there. */
const peerValues = (name: string, values: Tensor, experts?: number | null) =>
  name === 'W_enc' && experts
    ? tf.transpose(tf.reshape(values, [d, experts, f / experts]), [1, 0, 2]).dataSync()
    : values.dataSync();

for (const { name, definition, options, names = {}, lower } of cases) {
  test(name, () => {
    const rng = createRng(3);
    const random = (rows: number, scale = 1) =>
      tf.tensor2d(
        rng.fillNormal(new Float32Array(rows * d)).map((x) => x * scale),
        [rows, d],
      );
    const x = random(n);
    const hp = withDefaults(definition.hyperparameters, options, 'hyper-parameter');
    const { params: start } = definition.init(shape, hp, { rng, sample: x, targetSample: x });
    // Biases that are not 0, so that none is forgotten.
    const params: NamedTensors = Object.fromEntries(
      Object.entries(start).map(([id, tensor], i) => [
        id,
        tensor.rank === 1 ? tf.add(tensor, tf.mul(tf.sin(tf.range(i, i + tensor.size)), 0.1)) : tensor,
      ]),
    );
    if (lower) for (const id of ['b_gate', 'b_mag']) params[id] = tf.sub(params[id]!, lower);
    const experts = options['experts'];
    const given = {
      x: [...x.dataSync()],
      params: Object.fromEntries(
        Object.entries(params).map(([id, tensor]) => [
          names[id] ?? id.toLowerCase(),
          [...peerValues(id, tensor, experts)],
        ]),
      ),
    };
    const theirs = peerLosses(name, given);
    const state: TrainState = {
      ...{ step: 5000, steps: 10_000, tokens: 0, deadCount: 0, scalars: {}, rng },
      dead: tf.zeros([f]) as Tensor1D,
      buffers: { variance: tf.scalar(1) },
    };
    const dense = { l0: f, parts: {}, carry: { denseL0: f } };
    for (const [last, kind] of [
      [undefined, 'topk'],
      [{ l0: 2, parts: {} }, 'topk'],
      [dense, lower ? 'dense' : 'topk'],
    ] as const) {
      const { total, codes } = definition.loss(params, { x, target: x }, last ? { ...state, last } : state, hp);
      assert.is(codes.kind, kind);
      // The TopK family's is in units of d · variance.
      const ours = total.dataSync()[0]! * (name === 'gated' ? 1 : d);
      for (const loss of theirs) assert.ok(Math.abs(ours - loss) < 1e-5 * loss, `${ours}, PyTorch ${loss}`);
    }
  });
}

test('a variant that the script of a grid does not know is refused: no other one is trained under its name', async () => {
  await inFolder(async (folder) => {
    await writeSynthetic(folder, syntheticData(0, { features: 8, d: 4, l0: 2, train: 20, test: 10, spread: 0 }));
    const grid = path.join(folder, 'grid.json');
    writeFileSync(grid, JSON.stringify({ tokens: 20, l0: 2, seed: 0 }));
    const script = path.join(packageRoot, 'harness/perf/peers/torch_synthetic.py');
    const { status, stdout, stderr } = spawnSync('python3', [script, folder, grid, 'switch', 'swich'], {
      encoding: 'utf8',
    });
    assert.equal([status, stdout], [1, '']);
    assert.match(stderr, /VARIANT: expected one of multi-topk, .*, batchtopk, found swich\n$/);
  });
});

const found = spawnSync('python3', ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;
if (found) test.run();
else console.log('skipped: python3 has no torch');
