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
import { runCommand } from '../../testing/command-line.ts';
import { numbers, report, seconds, startBackend } from './measure.ts';

const [rows, d, d_sae, k, batchSize, tokens] = numbers(0) as [number, number, number, number, number, number];
const CLASSES = 20;
/** Directions that rows are sums of, and how many of them a row has. */
const FEATURES = 1024;
const ACTIVE = 8;
/** Rows of a file: those that are made here must not be what the peak memory shows. */
const PART = 5000;

/** A folder of rows that are sparse sums, one direction of each the sign of its class. */
async function makeRows(folder: string): Promise<void> {
  await mkdir(folder);
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
    await writeNpy(path.join(folder, `part-${from / PART}.npy`), [count, d], x);
  }
  await writeFile(path.join(folder, 'labels.json'), JSON.stringify(labels.map((label) => `class ${label}`)));
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
        activations: { from, modality: 'image' },
        training: { tokens, batchSize },
      },
    ],
    methods: [...trained, { id: 'neurons' }, { id: 'linear-probe' }],
    tasks: [{ id: 'reconstruction' }, { id: 'concept-detection' }, { id: 'monosemanticity' }],
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
  report((2 * tokens) / (await seconds(start, 1, 0)), 'tokens/s', backend);
} finally {
  await rm(folder, { recursive: true });
}
