/** @file How far reconstructions are from activations, and how sparse the codes are, over all kept positions. */
import {
  type ActivationSet,
  bootstrapMean,
  codesCsr,
  createReconstruction,
  createRng,
  densityHistogram,
  disposeCodes,
  type Estimate,
  emptyCell,
  type FittedMethod,
  type KeptBatch,
  type MetricValue,
  maxCosine,
  measuredCell,
  plainCell,
  type Reconstruction,
  scanKept,
  tf,
  UserError,
} from '../../harness/contract.ts';

const ROWS = 1024;
/** Densities from 10⁻⁷ on. */
const DECADES = 7;

/** The mean kept activation of a set, [d_in], accumulated in float64. */
export async function meanActivation(set: ActivationSet): Promise<Float32Array> {
  const sum = new Float64Array(set.d_in);
  let rows = 0;
  for await (const batch of scanKept(set, ROWS)) {
    for (let at = 0; at < batch.x.length; at++) sum[at % set.d_in] = sum[at % set.d_in]! + batch.x[at]!;
    rows += batch.rows;
  }
  if (rows === 0) throw new UserError(`reconstruction: expected kept positions under '${set.policy}', found none`);
  return Float32Array.from(sum, (value) => value / rows);
}

/**
 * Encodes every kept position of `test` and decodes it where the method can.
 *
 * @throws UserError when an activation, code or reconstruction is not finite, naming method and document.
 */
export async function measureGeometry(
  method: FittedMethod & { id: string },
  test: ActivationSet,
  options: { signal?: AbortSignal; progress: (done: number, total: number) => void },
): Promise<Reconstruction> {
  const { encode, decode, d_sae = 0 } = method;
  if (!encode) throw new Error('internal: measureGeometry needs a method that encodes');
  const documents = test.bounds.length - 1;
  const reconstruction = createReconstruction(test.d_in, d_sae);
  for await (const batch of scanKept(test, ROWS)) {
    options.signal?.throwIfAborted();
    const x = tf.tensor2d(batch.x, [batch.rows, test.d_in]);
    const codes = tf.tidy(() => encode(x));
    const out = decode && tf.tidy(() => decode(codes));
    const csr = await codesCsr(codes);
    const xHat = (await out?.data()) as Float32Array | undefined;
    x.dispose();
    out?.dispose();
    disposeCodes(codes);
    const rowOfCode = (at: number) => csr.indptr.findIndex((start) => start > at) - 1;
    const bad = firstBad(batch.x, test.d_in) ?? firstBad(xHat ?? [], test.d_in) ?? firstBad(csr.values, 1, rowOfCode);
    if (bad !== undefined) throw notFinite(method.id, documentsOf(batch)[bad]!);
    reconstruction.add({ x: batch.x, xHat, codes: csr, documents: documentsOf(batch) });
    options.progress(batch.firstItem + batch.items, documents);
  }
  return reconstruction;
}

/** The document of each row. */
function documentsOf({ firstItem, items, bounds, rows }: KeptBatch): Uint32Array {
  const documents = new Uint32Array(rows);
  for (let i = 0; i < items; i++) documents.fill(firstItem + i, bounds[i]!, bounds[i + 1]!);
  return documents;
}

/** The row of the first value that is not finite; undefined where all are. */
function firstBad(
  values: ArrayLike<number>,
  width: number,
  rowOf = (at: number) => Math.floor(at / width),
): number | undefined {
  for (let at = 0; at < values.length; at++) if (!Number.isFinite(values[at])) return rowOf(at);
  return undefined;
}

function notFinite(method: string, document: number): UserError {
  return new UserError(
    `reconstruction: method '${method}', document ${document}: expected finite activations, codes and reconstructions, ` +
      'found NaN or Infinity; check the weights and the activations',
  );
}

/** The cells of the named metrics; `n` counts positions, intervals resample documents. */
export function geometryCells(measured: Reconstruction, names: readonly string[]): Record<string, MetricValue> {
  const { tokens, ...values } = measured.metrics();
  const intervals: Record<string, Estimate | null> = measured.intervals(createRng('reconstruction/bootstrap'));
  const cellOf = (name: string): MetricValue => {
    const value = values[name as keyof typeof values];
    if (value === null) return emptyCell('undefined: its denominator is zero on these activations', tokens);
    return { ...plainCell(value, tokens), ci95: intervals[name]?.ci ?? null };
  };
  return Object.fromEntries(names.map((name) => [name, cellOf(name)]));
}

/** Cells of the directions of latents; intervals resample latents. */
export function decoderCells({ directions, d_sae }: FittedMethod): Record<string, MetricValue> {
  if (!directions || d_sae === undefined || d_sae < 2) {
    return { max_decoder_cosine: emptyCell('needs two latents with directions of their own') };
  }
  const estimate = bootstrapMean(maxCosine(directions(), d_sae), createRng('reconstruction/decoder'));
  return { max_decoder_cosine: measuredCell(estimate, 'the directions are not finite') };
}

/** Number of latents by log10 of their density; those that never fired are in no bin: `fraction_alive` counts them. */
export function densityCurve(measured: Reconstruction): { x: number[]; y: number[] } {
  const { edges, counts } = densityHistogram(measured.densities(), DECADES);
  return { x: counts.map((_, bin) => (edges[bin]! + edges[bin + 1]!) / 2), y: counts };
}
