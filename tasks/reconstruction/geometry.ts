/** @file How far reconstructions are from activations, and how sparse the codes are, over all kept positions. */
import {
  type ActivationSet,
  type Codes,
  type FittedMethod,
  type MetricDefinition,
  type MetricValue,
  type RowSamples,
  tf,
  UserError,
} from '../../harness/contract.ts';
import {
  type ClusterRatio,
  codesCsr,
  createReconstruction,
  densityHistogram,
  disposeCodes,
  ENCODE_ROWS,
  emptyCell,
  type KeptBatch,
  maxCosine,
  meanInterval,
  measuredCell,
  peek,
  plainCell,
  type Reconstruction,
  ratioInterval,
  ratioSamples,
  SCAN_ROWS,
  scanKept,
  type TokenCodes,
} from '../../harness/kit/index.ts';
import { DECODER_METRICS } from './metrics.ts';

/** Densities from 10⁻⁷ on. */
const DECADES = 7;

/** The mean kept activation of a set, [d_in], accumulated in float64. */
export async function meanActivation(set: ActivationSet): Promise<Float32Array> {
  const sum = new Float64Array(set.d_in);
  let rows = 0;
  for await (const batch of scanKept(set, SCAN_ROWS)) {
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
  const items = test.bounds.length - 1;
  const reconstruction = createReconstruction(test.d_in, d_sae);
  for await (const batch of scanKept(test, ENCODE_ROWS)) {
    options.signal?.throwIfAborted();
    const x = tf.tensor2d(batch.x, [batch.rows, test.d_in]);
    const codes = tf.tidy(() => encode(x));
    const out = decode && tf.tidy(() => decode(codes));
    const documents = documentsOf(batch);
    const { groups } = test;
    // What is measured on one patient's images hangs together: such items are one unit.
    const units = groups ? documents.map((document) => groups[document]!) : documents;
    const xHat = out && ((await peek(out)) as Float32Array);
    const bad = reconstruction.add({ x: batch.x, xHat, codes: await tokenCodes(codes), documents: units });
    tf.dispose([x, out ?? []]);
    disposeCodes(codes);
    if (bad !== undefined) throw notFinite(method.id, documents[bad]!);
    options.progress(batch.firstItem + batch.items, items);
  }
  return reconstruction;
}

/** The document of each row. */
function documentsOf({ firstItem, items, bounds, rows }: KeptBatch): Uint32Array {
  const documents = new Uint32Array(rows);
  for (let i = 0; i < items; i++) documents.fill(firstItem + i, bounds[i]!, bounds[i + 1]!);
  return documents;
}

/** Codes as they are, without making dense ones sparse. */
async function tokenCodes(codes: Codes): Promise<TokenCodes> {
  if (codes.kind === 'topk') return await codesCsr(codes);
  const [n, d_sae] = codes.values.shape;
  return { n, d_sae, dense: (await peek(codes.values)) as Float32Array };
}

function notFinite(method: string, document: number): UserError {
  return new UserError(
    `reconstruction: method '${method}', document ${document}: expected finite activations, codes and reconstructions, ` +
      'found NaN or Infinity; check the weights and the activations',
  );
}

/** The cells of the given metrics; `n` counts positions, intervals are over documents. */
export function geometryCells(
  measured: Reconstruction,
  metrics: Record<string, MetricDefinition>,
): Record<string, MetricValue> {
  const { tokens, ...values } = measured.metrics();
  const ratios: Partial<Record<string, ClusterRatio>> = measured.ratios();
  const cellOf = (name: string): MetricValue => {
    const value = values[name as keyof typeof values];
    if (value === null) return emptyCell('undefined: its denominator is zero on these activations', tokens);
    const cell = plainCell(value, tokens);
    const ratio = ratios[name];
    if (!ratio) return cell;
    const interval = ratioInterval(ratio.numerators, ratio.denominators, metrics[name]!.range);
    return { ...cell, ci95: interval?.ci ?? null, units: ratio.numerators.length };
  };
  return Object.fromEntries(Object.keys(metrics).map((name) => [name, cellOf(name)]));
}

/** Explained variance by block of documents; undefined where it is. */
export function explainedVarianceSamples(measured: Reconstruction): RowSamples | undefined {
  const ratio = measured.ratios().explained_variance;
  if (!ratio || measured.metrics().explained_variance === null) return undefined;
  return { unit: 'block of documents', values: ratioSamples(ratio.numerators, ratio.denominators) };
}

/** Cells of the directions of latents; intervals are over latents. */
export function decoderCells({ directions, d_sae }: FittedMethod): Record<string, MetricValue> {
  if (!directions || d_sae === undefined || d_sae < 2) {
    return { max_decoder_cosine: emptyCell('needs two latents with directions of their own') };
  }
  const { range } = DECODER_METRICS['max_decoder_cosine']!;
  const estimate = meanInterval(maxCosine(directions(), d_sae), range);
  return { max_decoder_cosine: measuredCell(estimate, 'the directions are not finite') };
}

/** Number of latents by log10 of their density; those that never fired are in no bin: `fraction_alive` counts them. */
export function densityCurve(measured: Reconstruction): { x: number[]; y: number[] } {
  const { edges, counts } = densityHistogram(measured.densities(), DECADES);
  return { x: counts.map((_, bin) => (edges[bin]! + edges[bin + 1]!) / 2), y: counts };
}
