/** @file Efficiency: what a method costs in parameters, arithmetic, time and memory, and what is had for it. */
import { setImmediate } from 'node:timers/promises';
import {
  defineTask,
  type FittedMethod,
  type MetricValue,
  type ResultRow,
  type Tensor2D,
  tf,
} from '../harness/contract.ts';
import {
  allUnavailable,
  disposeCodes,
  emptyCell,
  measureReconstruction,
  medianInterval,
  peakBytes,
  plainCell,
  reconstruct,
  reconstructionCells,
} from '../harness/kit/index.ts';
import {
  INFERENCE_METRICS,
  MAC_METRICS,
  METRICS,
  QUALITY_METRICS,
  SIZE_METRICS,
  TRAINING_METRICS,
} from './efficiency/metrics.ts';

interface Options {
  rows: number;
  repeats: number;
}

type Cells = Record<string, MetricValue>;

/** Processor time of what is not timed first: compilers and caches settle within it, which is hundreds of small batches. */
const WARM_UP_MS = 200;
/** Batches are timed for at least this much processor time: short bursts of others then hit few of them, which a median passes over. */
const LEAST_MS = 400;
/** Or for this long, where other programs leave little of the processors. */
const MOST_WALL_MS = 5000;

/**
 * Counted numbers (parameters, multiply-accumulates) are the same everywhere; measured ones are medians with their spread
 * on the machine of the run, marked as such, and never compared between runs. Inference is timed while nothing else of the run
 * computes; training was timed as it went.
 */
export default defineTask<Options>({
  id: 'efficiency',
  title: 'Efficiency: cost and what is had for it',
  version: 2,
  options: {
    rows: { type: 'integer', minimum: 1, default: 2048, description: 'Rows of the batch that is timed.' },
    repeats: {
      type: 'integer',
      minimum: 1,
      default: 15,
      description: 'How often it is timed at least; small batches more often, for 0.4 s.',
    },
  },
  metrics: METRICS,
  words: [],
  axes: {},
  shows: {
    columns: [
      ...['macs_encode', 'macs_decode', 'parameters', 'bytes', 'explained_variance', 'l0'],
      ...['train_tokens_per_second', 'tokens_per_second', 'encode_tokens_per_second', 'train_memory', 'memory'],
    ],
    overview: ['tokens_per_second'],
    scatter: {
      x: 'macs',
      y: 'explained_variance',
      title: 'Explained variance against multiply-accumulates per token',
      caption: 'Up and to the left is better: more of the variance for less arithmetic.',
      logX: true,
    },
    costs: ['macs', 'parameters'],
  },
  seeded: false,
  exclusive: true,
  async run(context) {
    const { method, test, options, target, signal, progress } = context;
    const row: ResultRow = {
      axes: {},
      metrics: { ...countedCells(method), ...trainingCells(method) },
      unavailable: {
        ...allUnavailable(MAC_METRICS, `'${method.id}' does not declare its multiply-accumulates`),
        ...allUnavailable(SIZE_METRICS, `'${method.id}' does not tell its size`),
        ...allUnavailable(TRAINING_METRICS, method.kind === 'sae' ? 'not trained by this run' : 'is no trained SAE'),
        ...allUnavailable({ ...QUALITY_METRICS, ...INFERENCE_METRICS }, `'${method.id}' has no codes`),
      },
    };
    if (!method.encode) return { rows: [row] };
    const measured = await measureReconstruction(method, test, {
      ...(target ? { target: target.test } : {}),
      signal,
      progress,
    });
    const quality = reconstructionCells(measured, QUALITY_METRICS);
    if (!method.decode) quality['explained_variance']!.reason = `'${method.id}' cannot decode`;
    Object.assign(row.metrics, quality);
    const rows = Math.min(options.rows, test.n);
    const x = tf.tensor2d(await test.read(0, rows), [rows, test.d_in]);
    try {
      Object.assign(row.metrics, await inferenceCells(method, x, options.repeats, signal));
    } finally {
      x.dispose();
    }
    return { rows: [row] };
  },
});

function countedCells({ cost }: FittedMethod): Cells {
  if (!cost) return {};
  const { parameters, bytes, macs } = cost;
  const sizes = { parameters: plainCell(parameters, 1), bytes: plainCell(bytes, 1) };
  if (!macs) return sizes;
  const { encode, decode } = macs;
  return {
    ...sizes,
    macs: plainCell(encode + decode, 1),
    macs_encode: plainCell(encode, 1),
    macs_decode: plainCell(decode, 1),
  };
}

function trainingCells({ training }: FittedMethod): Cells {
  if (!training) return {};
  const { value, ci95, steps } = training.tokensPerSecond;
  return {
    train_tokens_per_second: { value, ci95, n: steps },
    train_memory: training.peakBytes === undefined ? emptyCell('a run of one step') : plainCell(training.peakBytes, 1),
  };
}

/** Runs the batch through the method. The tensors are read, so that a backend that works ahead has done its work. */
async function inferenceCells(
  method: FittedMethod,
  x: Tensor2D,
  repeats: number,
  signal: AbortSignal | undefined,
): Promise<Cells> {
  const { encode, decode, cost } = method;
  const [encoding, both, cpu]: [number[], number[], number[]] = [[], [], []];
  const batch = () => {
    const before = process.cpuUsage();
    const started = performance.now();
    const codes = tf.tidy(() => encode!(x));
    codes.values.dataSync();
    encoding.push((performance.now() - started) / 1000);
    const out = decode && reconstruct(method, x, codes);
    out?.dataSync();
    both.push((performance.now() - started) / 1000);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1e6);
    tf.dispose(out ?? []);
    disposeCodes(codes);
  };
  const before = tf.memory().numBytes;
  const { bytes } = peakBytes(batch);
  const batches = async (least: number, ms: number) => {
    const [started, usage] = [performance.now(), process.cpuUsage()];
    const enough = () => {
      const { user, system } = process.cpuUsage(usage);
      return (user + system) / 1000 >= ms || performance.now() - started >= MOST_WALL_MS;
    };
    for (let i = 0; i < least || !enough(); i++) {
      // Nothing below waits: without this a signal would be heard of after the last batch only.
      await setImmediate();
      signal?.throwIfAborted();
      batch();
    }
  };
  await batches(1, WARM_UP_MS);
  encoding.length = both.length = cpu.length = 0;
  await batches(repeats, LEAST_MS);
  return {
    encode_tokens_per_second: perSecond(x.shape[0], encoding),
    tokens_per_second: decode ? perSecond(x.shape[0], both) : emptyCell('cannot decode'),
    tokens_per_cpu_second: decode ? perSecond(x.shape[0], cpu) : emptyCell('cannot decode'),
    memory: plainCell(bytes - before + (cost?.bytes ?? 0), 1),
  };
}

/** Rows a second at the median time; times and speeds have their bounds the other way round. */
function perSecond(rows: number, seconds: number[]): MetricValue {
  const { value, ci, n } = medianInterval(seconds)!;
  if (value === 0) return emptyCell('a batch is shorter than the clock can tell');
  return { value: rows / value, ci95: ci && ci[0] > 0 ? [rows / ci[1], rows / ci[0]] : null, n };
}
