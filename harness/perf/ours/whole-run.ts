/**
 * @file A whole run over imported rows, as a user starts it: topk and batchtopk trained on twice TOKENS in all, neurons and a
 * linear probe beside them; reconstruction, detection, MS score. Tokens trained on a second of the whole run.
 * Usage: whole-run.ts ROWS D F K BATCH TOKENS
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeNpy } from '../../io/npy.ts';
import { createRng } from '../../num/rng.ts';
import { mainMetric, readResult, resultFiles } from '../../results.ts';
import { runCommand } from '../../testing/command-line.ts';
import { numbers, report, seconds, startBackend } from './measure.ts';

const [rows, d, d_sae, k, batchSize, tokens] = numbers(0) as [number, number, number, number, number, number];
const CLASSES = 20;
/** Width of the embeddings that the MS score compares rows by. */
const EMBEDDED = 64;
const TASKS = ['reconstruction', 'concept-detection', 'monosemanticity'];
/** Directions that rows are sums of, and how many of them a row has. */
const FEATURES = 1024;
const ACTIVE = 8;
/** Rows of a file: those that are made here must not be what the peak memory shows. */
const PART = 5000;

/** A folder of rows that are sparse sums, one direction of each the sign of its class, which embeddings show too. */
async function makeRows(folder: string): Promise<void> {
  await mkdir(folder);
  const files: string[] = [];
  const rng = createRng('whole run');
  const directions = rng.fillNormal(new Float32Array(FEATURES * d), 0, 1 / Math.sqrt(d));
  const labels: number[] = [];
  for (let from = 0; from < rows; from += PART) {
    const count = Math.min(PART, rows - from);
    const x = rng.fillNormal(new Float32Array(count * d), 0, 0.3 / Math.sqrt(d));
    for (let row = 0; row < count; row++) {
      const label = rng.int(CLASSES);
      labels.push(label);
      for (const feature of [label, ...rng.sample(FEATURES, ACTIVE)])
        for (let j = 0; j < d; j++) x[row * d + j]! += directions[feature * d + j]!;
    }
    files.push(`part-${from / PART}.npy`);
    await writeNpy(path.join(folder, files.at(-1)!), [count, d], x);
  }
  const embeddings = rng.fillNormal(new Float32Array(rows * EMBEDDED));
  for (const [row, label] of labels.entries()) embeddings[row * EMBEDDED + label]! += 4;
  await writeNpy(path.join(folder, 'embeddings.npy'), [rows, EMBEDDED], embeddings);
  await writeFile(path.join(folder, 'labels.json'), JSON.stringify(labels.map((label) => `class ${label}`)));
  const manifest = { files, labels: 'labels.json', embeddings: 'embeddings.npy', modality: 'image' };
  await writeFile(path.join(folder, 'activations.json'), JSON.stringify(manifest));
}

/** @throws Error where a task gave an SAE no value: the run would be faster for it. */
async function checkResults(out: string): Promise<void> {
  const results = await Promise.all((await resultFiles(out)).map(readResult));
  for (const { method, task, rows } of results.filter((result) => result.method.kind === 'sae')) {
    const main = mainMetric(task.metrics)!;
    if (rows.every((row) => row.metrics[main]?.value == null))
      throw new Error(`${method.name}: ${task.id} gave no ${main}: ${rows[0]?.metrics[main]?.reason}`);
  }
  const missing = ['topk', 'batchtopk'].filter(
    (name) => results.filter(({ method }) => method.name === name).length !== TASKS.length,
  );
  if (missing.length > 0) throw new Error(`expected ${TASKS.length} results of ${missing.join(' and ')}`);
}

/** The suite file. */
function suiteOf(from: string): string {
  const trained = ['topk', 'batchtopk'].map((id) => ({ id, options: { d_sae, k } }));
  return JSON.stringify({
    id: 'whole-run',
    title: 'A run of real size',
    subjects: [
      {
        sites: ['imported'],
        // Of fewer held-out rows most of so many latents fire on too few for an MS score.
        activations: { from, test: Math.max(500, Math.ceil(rows / 20)) },
        training: { tokens, batchSize },
      },
    ],
    methods: [...trained, { id: 'neurons' }, { id: 'linear-probe' }],
    tasks: TASKS.map((id) => ({ id })),
    seeds: [0],
  });
}

const backend = await startBackend();
const folder = await mkdtemp(path.join(tmpdir(), 'saxbench-perf-'));
try {
  const [dump, file] = [path.join(folder, 'dump'), path.join(folder, 'whole-run.json')];
  await makeRows(dump);
  await writeFile(file, suiteOf(dump));
  const places = ['--store', path.join(folder, 'store'), '--out', path.join(folder, 'out'), '--no-progress'];
  const start = async () => {
    const { code, said } = await runCommand('run', file, ...places);
    if (code !== 0) throw new Error(`the run ended with ${code}: ${said}`);
  };
  const elapsed = await seconds(start, 1, 0);
  await checkResults(path.join(folder, 'out'));
  report((2 * tokens) / elapsed, 'tokens/s', backend);
} finally {
  await rm(folder, { recursive: true });
}
