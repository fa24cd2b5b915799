/** @file Resolved suites of a few made-up methods, tasks and subjects, for tests of the plan. */
import type { ResolvedMethod, ResolvedSubject, ResolvedSuite, ResolvedTask } from '../suite/resolved.ts';

export const method = (id: string, more: Partial<ResolvedMethod> = {}): ResolvedMethod => ({
  id,
  kind: 'baseline',
  name: id,
  title: id,
  version: 1,
  options: {},
  optionsPassed: {},
  training: {},
  seeded: false,
  needs: 'activations',
  control: false,
  ...more,
});

export const task = (id: string, more: Partial<ResolvedTask> = {}): ResolvedTask => ({
  id,
  title: id,
  version: 1,
  options: {},
  optionsPassed: {},
  seeded: false,
  prepares: false,
  controls: [],
  ...more,
});

export const subject = (id: string, more: Partial<ResolvedSubject> = {}): ResolvedSubject => ({
  id,
  place: { folder: `/models/${id}`, baseDir: '' },
  fingerprint: `fingerprint of ${id}`,
  family: 'llama@1',
  sites: ['blocks.0.hook_resid_post'],
  concepts: {},
  collect: { version: 1, train: 100, test: 10, dtype: 'float32', policy: {} },
  training: {},
  dataset: {
    id: 'words',
    version: 1,
    modality: 'text',
    options: {},
    optionsPassed: {},
    seed: 0,
    fingerprint: 'words-1',
    hasConcepts: true,
  },
  ...more,
});

const named = (kinds: string[], ids: string[]) =>
  Object.fromEntries(kinds.flatMap((kind) => ids.map((id) => [`${kind} ${id}`, `code of ${kind} ${id}`])));

export const code = (): ResolvedSuite['code'] => ({
  machine: Object.fromEntries(
    ['backend', 'collect', 'import', 'sae', 'baseline', 'checkpoint', 'prepare', 'evaluate'].map((name) => [
      name,
      name,
    ]),
  ),
  plugins: {
    ...named(['subject', 'dataset'], ['llama', 'words']),
    ...named(['sae', 'baseline'], ['topk', 'pca', 'bow', 'probe', 'length']),
    ...named(['task'], ['reconstruction', 'steering', 'detection']),
    ...named(['judge'], ['words']),
  },
});

export const base = (more: Partial<ResolvedSuite> = {}): ResolvedSuite => ({
  id: 'small',
  title: 'Small',
  limited: false,
  seeds: [3, 4],
  backend: 'cpu',
  arithmetic: 'cpu: 4.22.0',
  code: code(),
  trainerVersion: 1,
  subjects: [subject('lm')],
  methods: [method('topk', { kind: 'sae', seeded: true, options: { k: 4 } }), method('pca')],
  tasks: [task('reconstruction', { prepares: true }), task('steering', { seeded: true })],
  ...more,
});
