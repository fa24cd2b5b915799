/** @file How many of some binary labels are of each class. */

export interface ClassCounts {
  positives: number;
  negatives: number;
  /** Neither class is empty. */
  both: boolean;
}

/** Counts labels: truthy ones are positives. */
export function countClasses(labels: ArrayLike<number | boolean>): ClassCounts {
  let positives = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i]) positives++;
  const negatives = labels.length - positives;
  return { positives, negatives, both: positives > 0 && negatives > 0 };
}
