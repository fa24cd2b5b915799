/** @file A grammar as a regular expression: fast search for its texts inside any text. */
import type { Node } from './grammar.ts';
import { textsOf, withTraits } from './grammar.ts';

/** A place in a text: characters [start, end). */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * A search for the texts of `forms` as whole words. Longer alternatives are tried first, so a match is the longest unless
 * two choices in a row compete, which no clause of the world does. Where a document's theme shows, one of `traits` may
 * stand, the words of all themes: any word is let through there and looked up afterwards, since an expression of
 * hundreds of alternatives is slow.
 */
export function surfaceFinder(forms: readonly Node[], traits: readonly string[] = []): (text: string) => Place[] {
  const sources = [...forms].sort((a, b) => longest(b) - longest(a)).map(source);
  const pattern = new RegExp(`(?<![^\\s("'])(?:${sources.join('|')})(?![A-Za-z0-9])`, 'g');
  const known = new Set([...traits, ...genericTraits(forms)]);
  return (text) =>
    [...text.matchAll(pattern)]
      .filter(([, ...words]) => words.every((word) => word === undefined || known.has(word)))
      .map((m) => ({ start: m.index, end: m.index + m[0].length }));
}

/** Words that stand where traits show in documents without a theme. */
function genericTraits(forms: readonly Node[]): string[] {
  const words = new Set<string>();
  for (const form of forms) {
    withTraits(form, (generic) => {
      for (const word of textsOf(generic)) words.add(word.trim());
      return generic;
    });
  }
  return [...words];
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
      return node.role === 'trait' ? '(?: ([a-z]+))?' : source(node.body);
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
