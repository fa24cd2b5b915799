/** @file A grammar as a regular expression: fast search for its texts inside any text. */
import type { Node } from './grammar.ts';
import { choice, text, withTraits } from './grammar.ts';

/**
 * A global pattern that finds the texts of `forms` as whole words. Longer alternatives are tried first, so a match is
 * the longest unless two choices in a row compete, which no clause of the world does. Where a document's theme shows, the
 * pattern takes any of `traits`, the words of all themes, beside what the grammar has there.
 */
export function surfacePattern(forms: readonly Node[], traits: readonly string[] = []): RegExp {
  const words = traits.map((word) => text(` ${word}`));
  const withAny = (node: Node): Node => withTraits(node, (generic) => choice([...words, generic]));
  const sources = forms
    .map(words.length > 0 ? withAny : (node) => node)
    .sort((a, b) => longest(b) - longest(a))
    .map(source);
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
      return source(node.body);
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
