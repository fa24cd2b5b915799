/** @file Divides texts among uses by what they say: no text serves two uses, whatever else is there. */

/** A share of all texts for each use, in sixteenths; they sum to 16. */
export type Shares<U extends string> = readonly (readonly [U, number])[];

/** The use of a text: by four bits of its FNV-1a hash. */
export function useOf<U extends string>(text: string, shares: Shares<U>): U {
  let hash = 0x9747b28c;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  let sixteenth = (hash >>> 24) & 15;
  for (const [use, share] of shares) {
    if (sixteenth < share) return use;
    sixteenth -= share;
  }
  throw new Error('internal: the shares do not add up to 16');
}
