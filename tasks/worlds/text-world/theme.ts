/**
 * @file The theme of a document: the one concept that governs it. It gives its traits to what other clauses speak of and
 * closes clauses with its asides, so that most clauses show it. A model of such text must know all along what the document
 * is about, and that is what a steering direction can set.
 */

import type { Concept, Topic } from './concepts.ts';
import { closer } from './document.ts';
import type { Node } from './grammar.ts';
import { choice, seq, text, withTraits } from './grammar.ts';

/** Probability of a trait of the theme wherever a clause may have an adjective. */
const TRAIT = 0.5;
/** Probability of an aside of the theme at the end of a clause after the first. The first always has one. */
const ASIDE = 0.4;

/** A theme's share in the grammar. */
export interface Theme {
  /** The end of the first clause: an aside, so that no document leaves its theme open. */
  readonly firstCloser: Node;
  /** The end of any other clause. */
  readonly closer: Node;
  /** The clause of a topic or concept as a document of this theme words it. */
  clauseOf(owner: Concept | Topic): Node;
  /** The aside at the end of a text drawn from a closer. */
  asideIn(drawn: string): string | undefined;
}

/** The theme of a concept. */
export function createTheme(concept: Concept): Theme {
  const { traits, asides } = concept.spec;
  const trait: Node = {
    kind: 'tag',
    role: 'trait',
    id: concept.id,
    body: choice(traits.map((word) => text(` ${word}`))),
  };
  const aside: Node = { kind: 'tag', role: 'concept', id: concept.id, body: choice(asides.map(text)) };
  const firstCloser = seq(text(' '), aside);
  const known = new Map<Node, Node>();
  const themed = (generic: Node): Node => choice([trait, generic], [TRAIT, 1 - TRAIT]);
  return {
    firstCloser,
    closer: choice([firstCloser, closer], [ASIDE, 1 - ASIDE]),
    clauseOf: ({ clause }) => {
      const node = known.get(clause) ?? withTraits(clause, themed);
      known.set(clause, node);
      return node;
    },
    asideIn: (drawn) => asides.find((phrase) => drawn === ` ${phrase}`),
  };
}

/** A list of themes by concept, each made when it is first asked for. */
export function themesOf(concepts: readonly Concept[]): (id: string) => Theme | undefined {
  const byId = new Map(concepts.map((concept) => [concept.id, concept]));
  const made = new Map<string, Theme>();
  return (id) => {
    const concept = byId.get(id);
    if (!concept) return undefined;
    const theme = made.get(id) ?? createTheme(concept);
    made.set(id, theme);
    return theme;
  };
}
