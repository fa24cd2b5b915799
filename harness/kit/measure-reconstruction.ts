/** @file Every position of a set through a method: what its reconstruction keeps, and its codes. */
import type { FittedMethod } from '../contract/methods.ts';
import type { Codes } from '../contract/sae.ts';
import { UserError } from '../errors.ts';
import { createReconstruction, type Reconstruction } from '../num/metrics/reconstruction.ts';
import type { TokenCodes } from '../num/metrics/reconstruction-sums.ts';
import { peek } from '../num/peek.ts';
import { tf } from '../num/tf.ts';
import { codesCsr, disposeCodes } from './codes.ts';
import { ENCODE_ROWS, type KeptBatch, type KeptSource, scanKept } from './kept-rows.ts';
import { reconstruct } from './reconstruct.ts';

/** The kept rows of `target` beside those of each batch, where the method reconstructs another site; else its own. */
async function* withTarget(
  test: KeptSource,
  target: KeptSource | undefined,
): AsyncGenerator<{ batch: KeptBatch; wanted: Float32Array }> {
  const others = target && scanKept(target, ENCODE_ROWS);
  for await (const batch of scanKept(test, ENCODE_ROWS)) {
    const beside = (await others?.next())?.value as KeptBatch | undefined;
    if (others && (beside?.firstItem !== batch.firstItem || beside.rows !== batch.rows)) {
      throw new UserError('the target site keeps other rows than the input site; give both one policy.');
    }
    yield { batch, wanted: beside?.x ?? batch.x };
  }
}

/**
 * Sends rows x [n, d] through a method and hands `use` its codes and, where it decodes, its reconstructions: to be read
 * there, and neither kept nor changed.
 */
export async function throughMethod<T>(
  method: FittedMethod,
  x: Float32Array,
  shape: [n: number, d: number],
  use: (codes: TokenCodes, xHat?: Float32Array) => T,
): Promise<T> {
  const input = tf.tensor2d(x, shape);
  const codes = tf.tidy(() => method.encode!(input));
  const out = method.decode && reconstruct(method, input, codes);
  const xHat = out && ((await peek(out)) as Float32Array);
  const used = use(await tokenCodes(codes), xHat);
  tf.dispose([input, out ?? []]);
  disposeCodes(codes);
  return used;
}

/**
 * Encodes every kept position of `test` and decodes it where the method can.
 *
 * @param options.target The same positions of what is reconstructed, where that is another site.
 * @param options.onCodes Is told the codes of each batch, in order.
 * @throws UserError when an activation, code or reconstruction is not finite, naming method and document.
 */
export async function measureReconstruction(
  method: FittedMethod & { id: string },
  test: KeptSource,
  options: {
    target?: KeptSource;
    signal?: AbortSignal;
    progress: (done: number, total: number) => void;
    onCodes?: (codes: TokenCodes) => void;
  },
): Promise<Reconstruction> {
  const { encode, d_sae = 0 } = method;
  if (!encode) throw new Error('internal: measureReconstruction needs a method that encodes');
  const items = test.bounds.length - 1;
  const reconstruction = createReconstruction((options.target ?? test).d_in, d_sae);
  for await (const { batch, wanted } of withTarget(test, options.target)) {
    options.signal?.throwIfAborted();
    const documents = documentsOf(batch);
    const { groups } = test;
    // What is measured on one patient's images hangs together: such items are one unit.
    const units = groups ? documents.map((document) => groups[document]!) : documents;
    const bad = await throughMethod(method, batch.x, [batch.rows, test.d_in], (codes, xHat) => {
      options.onCodes?.(codes);
      return reconstruction.add({ x: wanted, xHat, codes, documents: units });
    });
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

export function notFinite(method: string, document: number): UserError {
  return new UserError(
    `reconstruction: method '${method}', document ${document}: expected finite activations, codes and reconstructions, ` +
      'found NaN or Infinity; check the weights and the activations',
  );
}
