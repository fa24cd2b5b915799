/** @file How long rows are at a site: the unit of what is added to them. */
import type { Source, TrainingText } from './texts.ts';

/** Mean L2 norm of the rows of some texts that count. */
export async function meanNorm({ labelled: { activations } }: Source, texts: readonly TrainingText[]): Promise<number> {
  const d = activations.d_in;
  let [total, rows] = [0, 0];
  for (const { start, length } of texts) {
    const x = await activations.read(start, start + length);
    for (let row = 0; row < length; row++) {
      if (activations.keep[start + row] !== 1) continue;
      let square = 0;
      for (let i = row * d; i < (row + 1) * d; i++) square += x[i]! ** 2;
      total += Math.sqrt(square);
      rows++;
    }
  }
  return rows === 0 ? 0 : total / rows;
}
