/** @file Scores of all items by the detectors of a supervised method. */
import {
  type Concept,
  type ConceptDetector,
  type FittedMethod,
  type LabelledActivations,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { peek, SCAN_ROWS, scanKept } from '../../harness/kit/index.ts';

/**
 * Scores of every item by the detector of every concept: the maximum over the item's kept positions, or the detector's
 * score of the raw item. One pass over the activations serves all concepts. A concept without a scoring
 * detector has undefined.
 */
export async function detectorScores(
  method: FittedMethod,
  { set, activations }: LabelledActivations,
  options: { signal?: AbortSignal; progress: (done: number, total: number) => void },
): Promise<(Float32Array | undefined)[]> {
  const detectors = set.concepts.map((concept) => method.detector?.(concept));
  const scores = detectors.map((detector) =>
    detector?.score || detector?.scoreItem ? new Float32Array(set.items.length).fill(-Infinity) : undefined,
  );
  detectors.forEach((detector, c) => {
    if (!detector?.scoreItem) return;
    for (const [i, item] of set.items.entries()) scores[c]![i] = detector.scoreItem(item);
  });
  if (detectors.some((detector) => readsActivations(detector))) {
    for await (const batch of scanKept(activations, SCAN_ROWS)) {
      options.signal?.throwIfAborted();
      const x = tf.tensor2d(batch.x, [batch.rows, activations.d_in]);
      try {
        for (const [c, detector] of detectors.entries()) {
          if (!readsActivations(detector)) continue;
          const tensor = tf.tidy(() => detector.score!(x));
          const rows = await peek(tensor);
          for (let i = 0; i < batch.items; i++) {
            scores[c]![batch.firstItem + i] = maximum(rows, batch.bounds[i]!, batch.bounds[i + 1]!);
          }
          tensor.dispose();
        }
      } finally {
        x.dispose();
      }
      options.progress(batch.firstItem + batch.items, set.items.length);
    }
  }
  for (const [c, row] of scores.entries()) requireFinite(row, set.concepts[c]!, set.items);
  return scores;
}

/** `scoreItem` wins where a detector has both. */
function readsActivations(detector: ConceptDetector | undefined): detector is ConceptDetector {
  return detector?.score !== undefined && detector.scoreItem === undefined;
}

function maximum(values: ArrayLike<number>, start: number, end: number): number {
  let max = -Infinity;
  for (let i = start; i < end; i++) {
    // Not a number compares as neither: it is reported, not passed over.
    if (Number.isNaN(values[i])) return Number.NaN;
    if (values[i]! > max) max = values[i]!;
  }
  return max;
}

function requireFinite(scores: Float32Array | undefined, concept: Concept, items: readonly { id: string }[]): void {
  const bad = scores?.findIndex((score) => !Number.isFinite(score)) ?? -1;
  if (bad < 0) return;
  throw new UserError(
    `concept-detection: concept '${concept.id}', item '${items[bad]!.id}': expected a finite score, found ` +
      `${scores![bad]}; an item needs at least one kept position and a detector finite weights`,
  );
}
