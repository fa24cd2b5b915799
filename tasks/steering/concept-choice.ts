/** @file Which concepts are steered to, and which halves of prompts or images choose and report. */
import type { Concept } from '../../harness/contract.ts';

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

/** The first half of `n` things chooses the factor (the larger half of an odd number), the rest reports. */
export function halves(n: number): { selection: number[]; reporting: number[] } {
  const cut = Math.ceil(n / 2);
  const all = Array.from({ length: n }, (_, i) => i);
  return { selection: all.slice(0, cut), reporting: all.slice(cut) };
}
