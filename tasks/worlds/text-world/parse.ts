/** @file Parsing against a grammar: all derivations of a text, their summed probability, and the marked spans. */
import type { Node, Role } from './grammar.ts';

/** A stretch of text [start, end) in characters, with what it is. */
export interface TaggedSpan {
  readonly role: Role;
  readonly id: string;
  readonly start: number;
  readonly end: number;
}

/** All derivations of `text[from, end)`. */
export interface Match {
  readonly end: number;
  /** Log of the summed probability of all derivations, in nats. */
  readonly logProb: number;
  /** How many derivations there are. */
  readonly derivations: number;
  /** The spans of the most probable derivation. */
  readonly tags: readonly TaggedSpan[];
}

/** The derivations of the whole `text`, or null when the grammar does not generate it. */
export function parse(node: Node, text: string): Match | null {
  return createMatcher(text)(node, 0).find((match) => match.end === text.length) ?? null;
}

/** Every derivation of a prefix of `text` from a position; remembered per node and position. */
export function createMatcher(text: string): (node: Node, from: number) => readonly Match[] {
  const memo = new Map<Node, Map<number, readonly Match[]>>();
  const match = (node: Node, from: number): readonly Match[] => {
    if (node.kind === 'text') {
      return text.startsWith(node.text, from) ? [leaf(from + node.text.length, 0)] : [];
    }
    if (node.kind === 'class') {
      const found = from < text.length && node.chars.includes(text[from]!);
      return found ? [leaf(from + 1, -Math.log(node.chars.length))] : [];
    }
    const known = memo.get(node) ?? new Map<number, readonly Match[]>();
    memo.set(node, known);
    const matches = known.get(from) ?? compound(node, from);
    known.set(from, matches);
    return matches;
  };
  const compound = (node: Node, from: number): readonly Match[] => {
    if (node.kind === 'choice') {
      return merge(
        node.options.flatMap((option, i) =>
          match(option, from).map((m) => ({ ...m, logProb: m.logProb + Math.log(node.probs[i]!) })),
        ),
      );
    }
    if (node.kind === 'tag') {
      return match(node.body, from).map((m) => ({
        ...m,
        tags: [{ role: node.role, id: node.id, start: from, end: m.end }, ...m.tags],
      }));
    }
    let heads: readonly Match[] = [leaf(from, 0)];
    for (const part of node.kind === 'seq' ? node.parts : []) {
      heads = merge(heads.flatMap((head) => match(part, head.end).map((tail) => join(head, tail))));
      if (heads.length === 0) break;
    }
    return heads;
  };
  return match;
}

const leaf = (end: number, logProb: number): Match => ({ end, logProb, derivations: 1, tags: [] });

function join(head: Match, tail: Match): Match {
  return {
    end: tail.end,
    logProb: head.logProb + tail.logProb,
    derivations: head.derivations * tail.derivations,
    tags: tail.tags.length === 0 ? head.tags : [...head.tags, ...tail.tags],
  };
}

function merge(matches: readonly Match[]): readonly Match[] {
  if (matches.length < 2) return matches;
  const byEnd = new Map<number, Match>();
  for (const m of matches) {
    const other = byEnd.get(m.end);
    if (!other) byEnd.set(m.end, m);
    else {
      const [best, rest] = m.logProb > other.logProb ? [m, other] : [other, m];
      const logProb = best.logProb + Math.log1p(Math.exp(rest.logProb - best.logProb));
      byEnd.set(m.end, { ...best, logProb, derivations: m.derivations + other.derivations });
    }
  }
  return [...byEnd.values()];
}
