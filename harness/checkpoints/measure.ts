/** @file What a checkpoint does on the activations that it is scored on, in one line: whether it belongs there at all. */
import { readRows } from '../activations/read-rows.ts';
import type { ActivationSet, FittedMethod, Mark } from '../contract.ts';
import { throughMethod } from '../kit/measure-reconstruction.ts';
import { createReconstruction } from '../num/metrics/reconstruction.ts';
import { type Tensor2D, tf } from '../num/tf.ts';
import { sampleRows } from '../train/input.ts';
import type { Checkpoint, CheckpointFacts } from './form.ts';

/** Rows that are looked at: enough for two digits, and seconds for the largest SAEs. */
const ROWS = 1024;

/** Rows that are encoded at a time. */
const BATCH = 256;

/** So much more explained variance with b_dec treated the other way has a reason too: rounding and chance are far below. */
const BETTER = 0.02;

/** L0 further from the advertised than this, as a factor, has a reason. */
const FAR = 2;

const REASONS = 'probably another site, model, input scale or layout than it was trained with';

interface Sets {
  train: ActivationSet;
  /** The site that it reconstructs, where that is another. */
  target: ActivationSet | undefined;
}

/**
 * Sends a sample of rows through a checkpoint.
 *
 * @param checkpoint Its weights as they are scored, where b_dec is to be tried the other way too.
 * @returns A line with mean cosine, explained variance and L0 beside the advertised, and marks where they cannot be right.
 */
export async function measureCheckpoint(
  method: FittedMethod,
  { train, target }: Sets,
  { advertisedL0 }: CheckpointFacts,
  seed: number,
  checkpoint?: Checkpoint,
): Promise<{ line: string; marks: Mark[] }> {
  const { n, rows, x } = await sampleRows(train, seed, ROWS);
  const { d_in } = train;
  const d_out = (target ?? train).d_in;
  const wanted = target ? await readRows(target, rows, new Float32Array(n * d_out)) : x;
  const sample = { n, x, d_in, wanted, d_out };
  const metrics = await metricsOn(method, sample);
  // The tasks name document and numbers.
  if (!metrics) return { line: `on ${n} rows: codes or reconstructions that are not finite`, marks: [] };
  const { cosine, explained_variance: ev, l0 } = metrics;
  const beside = advertisedL0 === undefined ? '' : ` (advertised ${round(advertisedL0)})`;
  const line = `on ${n} training rows: cosine ${shown(cosine)}, explained variance ${shown(ev)}, L0 ${round(l0 ?? 0)}${beside}`;
  const marks: Mark[] = [];
  if (ev !== null && ev < 0) {
    marks.push({
      code: 'checkpoint-worse-than-mean',
      message: `explained variance ${shown(ev)} on the rows of this site, below that of their mean: ${REASONS}`,
    });
  }
  if (advertisedL0 !== undefined && l0 !== null && (l0 > FAR * advertisedL0 || l0 * FAR < advertisedL0)) {
    marks.push({
      code: 'checkpoint-l0-off',
      message: `L0 ${round(l0)} on the rows of this site, advertised ${round(advertisedL0)}: ${REASONS}`,
    });
  }
  const other = checkpoint && otherCentring(method, checkpoint);
  const otherEv = other && (await metricsOn(other, sample))?.explained_variance;
  if (ev !== null && typeof otherEv === 'number' && otherEv > Math.max(0, ev + BETTER)) {
    const { centred } = checkpoint!.config.form;
    marks.push({
      code: 'checkpoint-centring',
      message:
        `explained variance ${shown(ev)} on the rows of this site, and ${shown(otherEv)} were b_dec ${centred ? 'not ' : ''}` +
        `subtracted from the input: probably it was trained that way (apply_b_dec_to_input=${!centred})`,
    });
  }
  return { line, marks };
}

interface Sample {
  n: number;
  x: Float32Array;
  d_in: number;
  wanted: Float32Array;
  d_out: number;
}

/** What a method does on a sample; undefined where something is not finite. */
async function metricsOn(method: FittedMethod, { n, x, d_in, wanted, d_out }: Sample) {
  const measured = createReconstruction(d_out, method.d_sae ?? 0);
  let finite = true;
  for (let from = 0; from < n; from += BATCH) {
    const to = Math.min(n, from + BATCH);
    const bad = await throughMethod(method, x.subarray(from * d_in, to * d_in), [to - from, d_in], (codes, xHat) =>
      measured.add({
        x: wanted.subarray(from * d_out, to * d_out),
        xHat,
        codes,
        documents: new Uint32Array(to - from).fill(from / BATCH),
      }),
    );
    finite &&= bad === undefined;
  }
  return finite ? measured.metrics() : undefined;
}

/**
 * The same checkpoint with b_dec subtracted from its input where it is not, and not where it is: on shifted rows, without
 * its weights once more. Undefined where that is no question.
 */
function otherCentring(method: FittedMethod, { config, tensors }: Checkpoint): FittedMethod | undefined {
  const { centred, rows, pursuit, transcodes, experts } = config.form;
  const b_dec = tensors['b_dec']!.data;
  // A router reads the rows too, and has a bias of its own.
  if (rows || pursuit || transcodes || experts || b_dec.every((value) => value === 0)) return undefined;
  const shift = centred ? b_dec : b_dec.map((value) => -value);
  return { ...method, encode: (x) => tf.tidy(() => method.encode!(tf.add(x, shift) as Tensor2D)) };
}

const shown = (value: number | null) => (value === null ? 'undefined' : value.toFixed(3));
const round = (value: number) => String(Number(value.toPrecision(3)));
