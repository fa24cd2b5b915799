/** @file Which concepts are steered to, and which halves of prompts or images choose and report. */
import type { Concept } from '../../harness/contract.ts';
import { createRng } from '../../harness/kit/index.ts';

/** Places of at most `n` concepts: one of each domain in turn, from evenly spaced domains where there are more than n. */
export function chooseConcepts(concepts: readonly Concept[], n: number): number[] {
  const domains = new Map<string, number[]>();
  concepts.forEach(({ domain = '' }, place) => {
    domains.set(domain, [...(domains.get(domain) ?? []), place]);
  });
  let rounds = [...domains.values()];
  if (n < rounds.length) rounds = Array.from({ length: n }, (_, i) => rounds[Math.floor((i * rounds.length) / n)]!);
  const chosen: number[] = [];
  for (let round = 0; chosen.length < Math.min(n, concepts.length); round++) {
    for (const places of rounds) {
      if (round < places.length && chosen.length < n) chosen.push(places[round]!);
    }
  }
  return chosen;
}

/**
 * Two random halves of `n` things, the same at every call: one chooses the factor (the larger of an odd number), the other
 * reports. By their order they would differ: examples come sorted by kind, or with two kinds in turn.
 */
export function halves(n: number): { selection: number[]; reporting: number[] } {
  const order = createRng('halves').permutation(n);
  const cut = Math.ceil(n / 2);
  const sorted = (half: Uint32Array) => [...half].sort((a, b) => a - b);
  return { selection: sorted(order.subarray(0, cut)), reporting: sorted(order.subarray(cut)) };
}
