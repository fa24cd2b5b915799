/** @file A grammar as a regular expression: fast search for its texts inside any text. */
import type { Node } from './grammar.ts';

/** Whatever theme a document has, its trait is one word, or none. */
const ANY_TRAIT = '(?: [a-z]+)?';

/**
 * A global pattern that finds the texts of `forms` as whole words. Longer alternatives are tried first, so a match is
 * the longest unless two choices in a row compete, which no clause of the world does.
 */
export function surfacePattern(forms: readonly Node[]): RegExp {
  const sources = [...forms].sort((a, b) => longest(b) - longest(a)).map(source);
  return new RegExp(`(?<![^\\s("'])(?:${sources.join('|')})(?![A-Za-z0-9])`, 'g');
}

function source(node: Node): string {
  switch (node.kind) {
    case 'text':
      return escapeLiteral(node.text);
    case 'class':
      return `[${escapeLiteral(node.chars)}]`;
    case 'seq':
      return node.parts.map(source).join('');
    case 'choice':
      return `(?:${[...node.options]
        .sort((a, b) => longest(b) - longest(a))
        .map(source)
        .join('|')})`;
    case 'tag':
      return node.role === 'trait' ? ANY_TRAIT : source(node.body);
  }
}

function escapeLiteral(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** Length of the longest text of a grammar. */
function longest(node: Node): number {
  switch (node.kind) {
    case 'text':
      return node.text.length;
    case 'class':
      return 1;
    case 'seq':
      return node.parts.reduce((sum, part) => sum + longest(part), 0);
    case 'choice':
      return Math.max(...node.options.map(longest));
    case 'tag':
      return longest(node.body);
  }
}
