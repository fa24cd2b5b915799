/** @file A toy world for tests of the machine: a subject, a dataset, methods and a task, all computed in an instant. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type Dataset,
  defineBaseline,
  defineDataset,
  defineSubject,
  defineTask,
  type LanguageModel,
  type Tensor3D,
  type TokenBatch,
  tf,
} from '../contract.ts';
import { sha256 } from '../io/hash.ts';
import { openRegistry, type Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';

const WIDTH = 4;
const SITE = 'blocks.0.hook_resid_post';

/** One id a character; 0 begins every text. */
function tokenize(texts: string[], maxLength = 32): TokenBatch {
  const rows = texts.map((text) => [0, ...Array.from(text, (char) => char.charCodeAt(0) % 64)].slice(0, maxLength));
  const length = Math.max(...rows.map((row) => row.length));
  const ids = new Int32Array(rows.length * length);
  const mask = new Uint8Array(rows.length * length);
  for (const [i, row] of rows.entries()) {
    ids.set(row, i * length);
    mask.fill(1, i * length, i * length + row.length);
  }
  return { n: rows.length, length, ids, mask };
}

const encode = (text: string) => {
  const ids = Array.from(tokenize([text]).ids);
  return { ids, offsets: ids.map((_, i): [number, number] => (i === 0 ? [0, 0] : [i - 1, i])) };
};

function toySubject(id: string): LanguageModel {
  return {
    type: 'lm',
    id,
    family: 'toy',
    config: {},
    parameters: 1,
    sites: [{ name: SITE, d: WIDTH, modality: 'text', kind: 'tokens' }],
    maxLength: 32,
    tokenizer: {
      vocabSize: 64,
      bosId: 0,
      specialIds: new Set([0]),
      encode,
      decode: (ids) => Array.from(ids).join(' '),
    },
    tokenize: (texts, options) => tokenize(texts, options?.maxLength),
    forward({ n, length, ids }) {
      // Activation j of id t is sin(t + j): different for every token, the same everywhere.
      const values = Float32Array.from({ length: n * length * WIDTH }, (_, i) =>
        Math.sin(ids[Math.floor(i / WIDTH)]! + (i % WIDTH)),
      );
      return { captured: { [SITE]: tf.tensor(values, [n, length, WIDTH]) as Tensor3D } };
    },
    generate: async (prompts) => prompts.map(() => []),
    unembedding: () => tf.zeros([WIDTH, 64]),
    dispose() {},
  };
}

const subject = defineSubject({
  id: 'toy',
  title: 'Toy',
  version: 1,
  modelTypes: ['toy'],
  load: async (_folder, { id }) => toySubject(id),
});

const text = (seed: number, i: number) => sha256(`${seed} ${i}`).slice(0, 8 + (i % 8));

const dataset = defineDataset<{ concepts: boolean }>({
  id: 'toy-words',
  title: 'Hexadecimal words',
  version: 1,
  modality: 'text',
  options: { concepts: { type: 'boolean', default: true, description: 'Whether it has concepts.' } },
  async open({ concepts }, { seed }): Promise<Dataset> {
    const items = (start: number, n: number) =>
      Array.from({ length: n }, (_, i) => ({ id: `${start + i}`, text: text(seed, start + i) }));
    const roles = ['positive', 'negative'] as const;
    return {
      id: 'toy-words',
      modality: 'text',
      fingerprint: sha256(`toy ${seed}`),
      corpus: async (split, n) => items(split === 'train' ? 0 : 100_000, n),
      ...(concepts && {
        concepts: async ({ perClass = 2 }) => ({
          concepts: [{ id: 'letter', label: 'letters' }],
          items: items(200_000, 4 * perClass),
          examples: Array.from({ length: 4 * perClass }, (_, item) => ({
            concept: 0,
            item,
            split: item < 2 * perClass ? ('train' as const) : ('eval' as const),
            role: roles[item % 2]!,
          })),
        }),
      }),
    };
  },
});

/** `fail`: `user` or `bug` makes the fit throw; `slowMs` makes it take its time. */
const mean = defineBaseline<{ scale: number; fail: string; slowMs: number }>({
  id: 'toy-mean',
  title: 'Mean',
  version: 1,
  options: {
    scale: { type: 'number', default: 1, description: 'Factor.' },
    fail: { enum: ['no', 'bug'], default: 'no', description: 'Throws.' },
    slowMs: { type: 'number', default: 0, description: 'Time that a fit takes.' },
  },
  needs: 'activations',
  seeded: true,
  async fit({ options, activations, rng }) {
    if (options.fail === 'bug') throw new TypeError('a bug in the method');
    await sleep(options.slowMs);
    const x = await activations.read(0, activations.n);
    const data = Float32Array.of((options.scale * x.reduce((sum, value) => sum + value, 0)) / x.length, rng.uniform());
    return { tensors: { mean: { shape: [2], data } }, json: { rows: activations.n } };
  },
  restore: (state, { d_in }) => ({
    d_in,
    sparse: false,
    labels: { 0: String(state.tensors['mean']!.data.join(' ')) },
    dispose() {},
  }),
});

const control = defineBaseline<Record<string, never>>({
  id: 'toy-null',
  title: 'Null',
  version: 1,
  options: {},
  needs: 'nothing',
  seeded: false,
  fit: async () => ({ tensors: {} }),
  restore: (_state, { d_in }) => ({ d_in, sparse: false, labels: { 0: '0 0' }, dispose() {} }),
});

const task = defineTask<{ offset: number; nan: boolean }>({
  id: 'toy-task',
  title: 'Toy task',
  version: 1,
  options: {
    offset: { type: 'number', default: 0, description: 'Added to the value.' },
    nan: { type: 'boolean', default: false, description: 'Gives NaN.' },
  },
  metrics: { value: { description: 'Value.', direction: 'max', range: [null, null], unit: '', main: true } },
  axes: {},
  seeded: false,
  controls: ['toy-null'],
  prepare: async ({ test, testItems }) => ({
    json: { items: testItems.length },
    arrays: { rows: { shape: [1], data: Int32Array.of(test.n) } },
  }),
  async run({ options, method, prepared, labelled }) {
    const value = options.nan ? Number.NaN : Number(method.labels![0]!.split(' ')[0]) + options.offset;
    const n = prepared.arrays['rows']!.data[0]!;
    return {
      rows: [{ axes: {}, metrics: { value: { value, ci95: null, n } } }],
      details: { draws: method.labels![0]!, concepts: labelled?.set.concepts.length ?? 0 },
    };
  },
});

/** A registry that also has the toys. */
export function toyRegistry(): Registry {
  const registry = openRegistry();
  for (const toy of [subject, dataset, mean, control, task]) registry.add(toy, fileURLToPath(import.meta.url));
  return registry;
}

/** A suite of toys; the subject's folder is made below `folder`. */
export function toySuite(folder: string, more: Partial<Suite> = {}): Suite {
  const path = join(folder, 'toy-model');
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'config.json'), '{"model_type":"toy"}');
  return {
    id: 'toy',
    title: 'Toy',
    subjects: [{ path, sites: [SITE], dataset: { id: 'toy-words' }, activations: { train: 20, test: 10 } }],
    methods: [{ id: 'toy-mean' }],
    tasks: [{ id: 'toy-task' }],
    seeds: [0, 1],
    ...more,
  };
}
