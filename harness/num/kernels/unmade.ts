/**
 * @file Whether gradients may stay unmade: an optimiser that uses up each row of a gradient once, and none of them together, can
 * have the backend make them on the way. Who reads such a gradient before gets its numbers all the same, a little later.
 */

import { createScope } from '../scope.ts';

const mayWait = createScope();

/** Runs what computes the gradients of an optimiser that makes them on the way, where the backend can. */
export const leavingUnmade = mayWait.within;

/** Attributes that say so to a kernel. */
export const laterWhereAllowed = (): { later?: true } => (mayWait.isOpen() ? { later: true } : {});
