/** @file What the clauses of a response are drawn from, by its topic and its theme. */
import type { Concept, Topic } from './concepts.ts';
import { clauseOdds } from './document.ts';
import { choice, type Node } from './grammar.ts';
import type { Theme } from './theme.ts';

/** A choice among `options`, all alike. */
export const uniform = (options: readonly Node[]): Node =>
  choice(
    options,
    options.map(() => 1 / options.length),
  );

/**
 * The grammar of a clause after the first, without what joins, opens and closes it: on the topic, on the theme, or on any
 * other concept, in passing, by `clauseOdds`.
 */
export function laterClauses(
  concepts: readonly Concept[],
  themeOf: (id: string) => Theme | undefined,
): (topic: Topic, theme: Concept) => Node {
  const inPassing = new Map(
    concepts.map((concept) => {
      const theme = themeOf(concept.id)!;
      return [concept, uniform(concepts.filter((other) => other !== concept).map(theme.clauseOf))];
    }),
  );
  return (topic, concept) => {
    const theme = themeOf(concept.id)!;
    const { topic: onTopic, theme: onTheme, other } = clauseOdds;
    return choice([theme.clauseOf(topic), theme.clauseOf(concept), inPassing.get(concept)!], [onTopic, onTheme, other]);
  };
}
