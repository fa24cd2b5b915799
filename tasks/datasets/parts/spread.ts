/** @file A few concepts out of many, from as many domains as possible. */

/**
 * The first `limit` entries of a round over the domains: one of each domain, then a second of each, and so on, both in
 * the order given. A larger limit only adds entries at the end.
 */
export function spreadOverDomains<T extends { domain?: string }>(entries: readonly T[], limit = entries.length): T[] {
  const byDomain = new Map<string, T[]>();
  for (const entry of entries) {
    const domain = entry.domain ?? '';
    byDomain.set(domain, [...(byDomain.get(domain) ?? []), entry]);
  }
  const rounds = [...byDomain.values()];
  const chosen: T[] = [];
  for (let round = 0; chosen.length < Math.min(limit, entries.length); round++) {
    for (const domain of rounds) {
      const entry = domain[round];
      if (entry !== undefined && chosen.length < limit) chosen.push(entry);
    }
  }
  return chosen;
}
