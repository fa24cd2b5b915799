/** @file Zero-shot answers of a CLIP: classes as embeddings of their prompts, images judged by cosine. */
import { type Clip, type Tensor2D, tf } from '../../../harness/contract.ts';

/** Prompts of one pass of the text tower. */
const TEXTS = 64;

/** Unit text embedding of each class, the mean over its prompts: row-major [classes, projectionDim]. */
export async function classEmbeddings(clip: Clip, classes: readonly { prompts: string[] }[]): Promise<Float32Array> {
  const dim = clip.projectionDim;
  const texts = classes.flatMap(({ prompts }, c) => prompts.map((text) => ({ text, c })));
  const sums = new Float32Array(classes.length * dim);
  for (let from = 0; from < texts.length; from += TEXTS) {
    const part = texts.slice(from, from + TEXTS);
    const batch = clip.tokenize(part.map(({ text }) => text));
    const embeds = tf.tidy(() => clip.forwardText(batch).embeds!);
    const values = unitRows((await embeds.data()) as Float32Array, dim);
    embeds.dispose();
    part.forEach(({ c }, i) => {
      for (let j = 0; j < dim; j++) sums[c * dim + j]! += values[i * dim + j]!;
    });
  }
  return unitRows(sums, dim);
}

/** Rows scaled to length 1; a zero row stays zero. */
export function unitRows(rows: Float32Array, dim: number): Float32Array {
  const out = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at += dim) {
    let square = 0;
    for (let j = at; j < at + dim; j++) square += rows[j]! ** 2;
    const length = Math.sqrt(square) || 1;
    for (let j = at; j < at + dim; j++) out[j] = rows[j]! / length;
  }
  return out;
}

/** Cosines of unit rows, times the logit scale: row-major [images, classes]. */
export async function logits(
  clip: Pick<Clip, 'logitScale'>,
  images: Float32Array,
  classes: Float32Array,
  dim: number,
): Promise<Float32Array> {
  const product = tf.tidy(() => {
    const [a, b] = [images, classes].map((rows) => tf.tensor2d(rows, [rows.length / dim, dim])) as [Tensor2D, Tensor2D];
    return tf.mul(tf.matMul(a, b, false, true), clip.logitScale);
  });
  const values = (await product.data()) as Float32Array;
  product.dispose();
  return values;
}
