/** @file Steering arithmetic: adding and clamping per row, for dense and k-sparse codes; choices. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FittedMethod, type Tensor1D, type Tensor2D, tf } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { memoryActivations, memoryLabelled } from '../../harness/testing/activations.ts';
import { taskTools } from '../../harness/testing/task-tools.ts';
import { chooseConcepts, halves } from './concept-choice.ts';
import { type Kind, type RowSteering, steer, steerEach } from './interventions.ts';
import { type PositionRule, steeredPositions } from './positions.ts';
import { steeringVectors } from './steering-vectors.ts';

const test = suite('tasks/steering/interventions');
test.before(async () => {
  await initBackend('wasm');
});

/** Codes are max(x, 0); a unit of latent 1 adds [0, 2]. */
function dictionary(kind: 'dense' | 'topk'): FittedMethod {
  const decoder = [
    [1, 0],
    [0, 2],
  ];
  return {
    d_in: 2,
    d_sae: 2,
    sparse: true,
    encode: (x: Tensor2D) => {
      const values = tf.relu(x) as Tensor2D;
      if (kind === 'dense') return { kind, values };
      // Stored in descending order of the latent: the order is not to be relied on.
      const indices = tf.tile(tf.tensor2d([[1, 0]], [1, 2], 'int32'), [x.shape[0], 1]);
      return { kind, indices, values: tf.reverse(values, 1), d_sae: 2 };
    },
    decode: (codes) => {
      const values = codes.kind === 'dense' ? codes.values : undefined;
      if (values) return tf.add(tf.matMul(values, tf.tensor2d(decoder)), 7) as Tensor2D;
      if (codes.kind !== 'topk') throw new Error('unexpected');
      const dense = tf.sum(tf.mul(tf.oneHot(codes.indices, 2), tf.expandDims(codes.values, 2)), 1) as Tensor2D;
      return tf.add(tf.matMul(dense, tf.tensor2d(decoder)), 7) as Tensor2D;
    },
    dispose: () => {},
  };
}

const rows: RowSteering[] = [
  { vector: Float32Array.of(1, 0), strength: 3, latent: 0 },
  { vector: Float32Array.of(0, 2), strength: 0.5, latent: 1 },
];
/** Two rows of two positions. */
const X = [
  [
    [1, -1],
    [-2, 5],
  ],
  [
    [4, 3],
    [1, -1],
  ],
];

async function apply(
  kind: Kind,
  method: FittedMethod,
  steered: readonly RowSteering[] = rows,
  phase: 'prompt' | 'generated' = 'prompt',
): Promise<unknown> {
  const before = tf.memory().numTensors;
  const result = tf.tidy(() => {
    const mask = tf.ones([2, 2]) as Tensor2D;
    return steer('site', steered, kind, method).apply(tf.tensor3d(X), { offset: 0, phase, mask });
  });
  const values = await result.array();
  result.dispose();
  assert.is(tf.memory().numTensors, before);
  return values;
}

test('add: every position of a row gets the row’s own vector', async () => {
  assert.equal(await apply('add', dictionary('dense')), [
    [
      [4, -1],
      [1, 5],
    ],
    [
      [4, 4],
      [1, 0],
    ],
  ]);
});

for (const kind of ['dense', 'topk'] as const) {
  test(`clamp, ${kind} codes: the row’s latent is set, the error is kept`, async () => {
    // Row 0: 3 - relu(1) = 2 and 3 - 0 = 3 times [1, 0]; row 1: 0.5 - 3 and 0.5 - 0 times [0, 2].
    assert.equal(await apply('clamp', dictionary(kind)), [
      [
        [3, -1],
        [1, 5],
      ],
      [
        [4, -2],
        [1, 0],
      ],
    ]);
  });
}

for (const kind of ['dense', 'topk'] as const) {
  test(`patch, ${kind} codes: the difference of two reconstructions is added, which is clamping for a linear decoder`, async () => {
    assert.equal(await apply('patch', dictionary(kind)), await apply('clamp', dictionary(kind)));
  });

  test(`replace, ${kind} codes: the reconstruction with the latent set, without its error`, async () => {
    // relu(x) with latent 0 (row 0) at 3, latent 1 (row 1) at 0.5, times the decoder, plus 7.
    assert.equal(await apply('replace', dictionary(kind)), [
      [
        [10, 7],
        [10, 17],
      ],
      [
        [11, 8],
        [8, 8],
      ],
    ]);
  });
}

test('patch goes through the decoder, whatever it computes: no vector stands for one that is not linear', async () => {
  const linear = dictionary('dense');
  const squared: FittedMethod = { ...linear, decode: (codes) => tf.square(linear.decode!(codes)) as Tensor2D };
  // Row 0, position 0: codes [1, 0], then [3, 0]: (10², 7²) − (8², 7²) on top of (1, −1).
  const changed = (await apply('patch', squared)) as number[][][];
  assert.equal(changed[0]![0], [1 + 36, -1]);
});

const positioned = (rule: PositionRule, positionCount: number, prompts: readonly number[]): RowSteering[] =>
  rows.map((row, i) => ({ ...row, at: steeredPositions({ positions: rule, positionCount }, prompts[i]!) }));
/** X with the steps [3, 0] of row 0 and [0, 1] of row 1 added where told. */
const added = (where: readonly (readonly [number, number])[]) =>
  X.map((row, r) =>
    row.map((x, p) => (where.some(([a, b]) => a === r && b === p) ? [x[0]! + [3, 0][r]!, x[1]! + [0, 1][r]!] : x)),
  );

for (const [rule, count, prompts, where] of [
  [
    'all',
    1,
    [1, 2],
    [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ],
  ],
  ['response', 1, [1, 2], [[0, 1]]],
  [
    'response',
    1,
    [0, 0],
    [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ],
  ],
  [
    'first',
    1,
    [1, 2],
    [
      [0, 0],
      [1, 0],
    ],
  ],
  [
    'first',
    9,
    [1, 2],
    [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
  ],
  [
    'first',
    1,
    [0, 0],
    [
      [0, 0],
      [1, 0],
    ],
  ],
  [
    'last',
    1,
    [1, 2],
    [
      [0, 0],
      [1, 1],
    ],
  ],
  [
    'last',
    9,
    [1, 2],
    [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
  ],
  ['last', 9, [0, 0], []],
] as const) {
  test(`positions ${rule} ${count} of prompts of ${prompts} tokens: the others keep every bit`, async () => {
    assert.equal(await apply('add', dictionary('dense'), positioned(rule, count, prompts)), added(where));
  });
}

test('while generating, only rules that reach the response go on', async () => {
  const generated = (rule: PositionRule) => apply('add', dictionary('dense'), positioned(rule, 1, [1, 2]), 'generated');
  const everywhere = added([
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]);
  assert.equal([await generated('all'), await generated('response')], [everywhere, everywhere]);
  assert.equal([await generated('first'), await generated('last')], [X, X]);
});

test('positions hold for clamping and patching too', async () => {
  for (const kind of ['clamp', 'patch'] as const) {
    const whole = (await apply(kind, dictionary('topk'))) as number[][][];
    const [first, second] = (await apply(kind, dictionary('topk'), positioned('first', 1, [1, 2]))) as number[][][];
    assert.equal(first, [whole[0]![0], X[0]![1]], kind);
    assert.equal(second, [whole[1]![0], X[1]![1]], kind);
  }
});

test('rows of both kinds in one batch', async () => {
  const kinds = ['clamp', 'add', 'clamp'] as const;
  const mixed = kinds.map((kind, i) => ({ ...rows[i % 2]!, kind }));
  const x = [...X, X[0]!];
  const result = tf.tidy(() => {
    const context = { offset: 0, phase: 'prompt' as const, mask: tf.ones([3, 2]) as Tensor2D };
    return steerEach('site', mixed, dictionary('dense')).apply(tf.tensor3d(x), context);
  });
  // As above: row 0 clamped, row 1 added to, row 0 clamped.
  const clamped = [
    [3, -1],
    [1, 5],
  ];
  const added = [
    [4, 4],
    [1, 0],
  ];
  assert.equal(await result.array(), [clamped, added, clamped]);
  result.dispose();
});

const set = {
  concepts: [{ id: 'a', label: 'a' }],
  items: [{ id: '0' }, { id: '1' }, { id: '2' }],
  examples: [
    { concept: 0, item: 0, split: 'train' as const, role: 'positive' as const },
    { concept: 0, item: 1, split: 'train' as const, role: 'negative' as const },
    { concept: 0, item: 2, split: 'eval' as const, role: 'positive' as const },
  ],
};
const activations = memoryActivations([
  [
    [9, 2],
    [0, 3],
  ],
  [[9, 2]],
  [[0, 50]],
]);
const labelled = memoryLabelled(set, activations);
const vectorsOf = async (method: FittedMethod) => {
  const found = await steeringVectors(method, labelled, [0], taskTools(method));
  if (typeof found === 'string') throw new Error(found);
  return found;
};

for (const kind of ['dense', 'topk'] as const) {
  test(`a latent’s vector is what the decoder adds, its scale its maximum in training (${kind})`, async () => {
    const before = tf.memory().numTensors;
    const { selection, vectors } = (await vectorsOf(dictionary(kind)))!;
    assert.is(selection, 'auroc');
    assert.equal([...vectors[0]!.vector], [0, 2]);
    assert.is(vectors[0]!.scale, 3, 'not the 50 of the evaluation item');
    assert.is(vectors[0]!.latent, 1);
    assert.equal(vectors[0]!.details, { latent: 1, sign: 1, train_auroc: 1 });
    assert.is(tf.memory().numTensors, before);
  });
}

test('a direction’s scale is how often it fits into a training row; a negated latent steers the other way', async () => {
  const direction = Float32Array.of(0, -2);
  const score = (x: Tensor2D) => tf.squeeze(tf.slice(x, [0, 0], [-1, 1]), [1]) as Tensor1D;
  const own: FittedMethod = { d_in: 2, sparse: false, detector: () => ({ direction, score }), dispose: () => {} };
  const found = (await vectorsOf(own))!;
  assert.is(found.selection, 'detector');
  assert.is(found.vectors[0]!.scale, 1.5, 'largest absolute product 6 over 4: none is positive');
  // Without a score: positives' rows (9, 2) and (0, 3) less the negative's (9, 2) is (−4.5, 0.5); of it (0, 3) has most.
  const unscored = { ...own, detector: () => ({ direction }) };
  const matched = (await vectorsOf(unscored))!.vectors[0]!;
  assert.ok(Math.abs(matched.scale * 2 - 1.5 / Math.hypot(4.5, 0.5)) < 1e-6, 'as long as of the difference of means');
  const still = { ...own, detector: () => ({ direction: new Float32Array(2) }) };
  assert.is((await vectorsOf(still))!.vectors[0]!.scale, 0);
  const negative: FittedMethod = {
    d_in: 2,
    d_sae: 1,
    sparse: false,
    encode: (x) => ({ kind: 'dense', values: tf.neg(tf.slice(x, [0, 1], [-1, 1])) as Tensor2D }),
    directions: () => Float32Array.of(0, -1),
    dispose: () => {},
  };
  const [vector] = (await vectorsOf(negative))!.vectors;
  assert.is(vector!.vector[1], 1);
  assert.equal([vector!.scale, vector!.latent, vector!.details['sign']], [3, undefined, -1]);
  assert.is(await vectorsOf({ d_in: 2, sparse: false, dispose: () => {} }), undefined);
});

test('choices: concepts spread over domains, halves', () => {
  const concepts = ['a', 'a', 'b', 'c', 'd', 'd'].map((domain, i) => ({ id: `${i}`, label: '', domain }));
  assert.equal(chooseConcepts(concepts, 2), [0, 3]);
  assert.equal(chooseConcepts(concepts, 5), [0, 2, 3, 4, 1]);
  assert.equal(chooseConcepts(concepts, 99), [0, 2, 3, 4, 1, 5]);
  const { selection, reporting } = halves(5);
  assert.equal([selection.length, reporting.length], [3, 2]);
  assert.equal([...selection, ...reporting].sort(), [0, 1, 2, 3, 4]);
  // Neither the first half and the second, nor every other one: of 40 each part of four has some in both.
  const of40 = halves(40);
  assert.equal(of40, halves(40));
  const parts = [(i: number) => i < 20, (i: number) => i >= 20, (i: number) => i % 2 === 0, (i: number) => i % 2 === 1];
  for (const part of parts) for (const half of Object.values(of40)) assert.ok(half.filter(part).length >= 5);
});

test.run();
