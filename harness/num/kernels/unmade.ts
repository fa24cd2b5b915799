/**
 * @file Whether gradients may stay unmade: an optimiser that uses up each row of a gradient once, and none of them together, can
 * have the backend make them on the way. Who reads such a gradient before gets its numbers all the same, a little later.
 */

let mayWait = false;

/** Runs what computes the gradients of an optimiser that makes them on the way, where the backend can. */
export function leavingUnmade<T>(compute: () => T): T {
  const before = mayWait;
  mayWait = true;
  try {
    return compute();
  } finally {
    mayWait = before;
  }
}

/** Attributes that say so to a kernel. */
export const laterWhereAllowed = (): { later?: true } => (mayWait ? { later: true } : {});
