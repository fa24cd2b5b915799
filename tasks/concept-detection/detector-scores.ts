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

/** Whether a detector gives scores at all. */
export const givesScores = (detector: ConceptDetector | undefined): boolean =>
  detector?.score !== undefined || detector?.scoreItem !== undefined || detector?.scoreItems !== undefined;

/**
 * Scores of items by the detector of every concept: the maximum over the item's kept positions, or the detector's
 * score of the raw item. One pass over the activations serves all concepts. A concept without a scoring
 * detector has undefined. Items that are not `wanted` by a concept may have no score (NaN).
 *
 * @param wanted By concept, the places of the items that are scored.
 */
export async function detectorScores(
  method: FittedMethod,
  { set, activations }: Pick<LabelledActivations, 'set' | 'activations'>,
  wanted: readonly Uint32Array[],
  options: { signal?: AbortSignal; progress: (done: number, total: number) => void },
): Promise<(Float32Array | undefined)[]> {
  const detectors = set.concepts.map((concept) => method.detector?.(concept));
  const found = detectors.map((detector) =>
    givesScores(detector) ? new Float32Array(set.items.length).fill(-Infinity) : undefined,
  );
  for (const [c, detector] of detectors.entries()) {
    options.signal?.throwIfAborted();
    const own = found[c];
    if (!own) continue;
    if (detector?.scoreItems) {
      own.fill(Number.NaN);
      const values = await detector.scoreItems({ items: set.items, activations }, wanted[c]!, options.signal);
      wanted[c]!.forEach((place, i) => {
        own[place] = values[i]!;
      });
      options.progress(c + 1, detectors.length);
    } else if (detector?.scoreItem) {
      for (const [i, item] of set.items.entries()) own[i] = detector.scoreItem(item);
    }
  }
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
            found[c]![batch.firstItem + i] = maximum(rows, batch.bounds[i]!, batch.bounds[i + 1]!);
          }
          tensor.dispose();
        }
      } finally {
        x.dispose();
      }
      options.progress(batch.firstItem + batch.items, set.items.length);
    }
  }
  for (const [c, row] of found.entries()) {
    const asked = detectors[c]?.scoreItems ? wanted[c]! : set.items.keys();
    requireFinite(row, asked, set.concepts[c]!, set.items);
  }
  return found;
}

/** `scoreItems`, then `scoreItem` wins where a detector has several. */
function readsActivations(detector: ConceptDetector | undefined): detector is ConceptDetector {
  return detector?.score !== undefined && detector.scoreItem === undefined && detector.scoreItems === undefined;
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

function requireFinite(
  row: Float32Array | undefined,
  places: Iterable<number>,
  concept: Concept,
  items: readonly { id: string }[],
): void {
  if (!row) return;
  for (const place of places) {
    if (Number.isFinite(row[place])) continue;
    throw new UserError(
      `concept-detection: concept '${concept.id}', item '${items[place]!.id}': expected a finite score, found ` +
        `${row[place]}; an item needs at least one kept position and a detector finite weights`,
    );
  }
}
