/** @file Probabilistic grammar without recursion: compile templates, sample, and the exact entropy. */
import type { Rng } from '../../../harness/contract.ts';
import type { Alternatives, ClauseSpec } from './lexicon/lexicon.ts';
import { commonSlots, TRAIT_SLOT } from './lexicon/lexicon.ts';

/** A grammar. `tag` marks the text of its body with a role and an id and changes nothing else. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'class'; readonly chars: string }
  | { readonly kind: 'seq'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[]; readonly probs: readonly number[] }
  | { readonly kind: 'tag'; readonly role: Role; readonly id: string; readonly body: Node };

/** What a tagged stretch of text is. */
export type Role = 'topic' | 'concept' | 'instruction' | 'trait';

/** Decay of the Zipf-like weights: flat enough that rare forms are seen, steep enough that there is structure. */
const ZIPF_EXPONENT = 0.5;

/** Weights k^-0.5, k = 1..n, normalised to sum 1. */
export function zipf(n: number): number[] {
  return normalise(Array.from({ length: n }, (_, k) => (k + 1) ** -ZIPF_EXPONENT));
}

/** Weights divided by their sum. */
export function normalise(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, w) => sum + w, 0);
  return weights.map((w) => w / total);
}

/** A choice among `options` with probabilities `probs`; a single option needs no choice. */
export function choice(options: readonly Node[], probs: readonly number[] = zipf(options.length)): Node {
  return options.length === 1 ? options[0]! : { kind: 'choice', options, probs };
}

/** A literal. */
export const text = (literal: string): Node => ({ kind: 'text', text: literal });

/** One after the other. */
export const seq = (...parts: Node[]): Node => ({ kind: 'seq', parts });

/** Compiles the clauses of a concept or topic. Throws on an unknown slot, or one that contains itself. */
export function compileClauses(spec: ClauseSpec, owner: string): Node {
  const compileSlot = slotCompiler(spec, owner);
  return choice(spec.clauses.map((template) => compileTemplate(template, compileSlot)));
}

/** Compiles one slot of a concept or topic. */
export function compileSlotOf(spec: ClauseSpec, slot: string, owner: string): Node {
  return slotCompiler(spec, owner)(slot);
}

function slotCompiler(spec: ClauseSpec, owner: string): (name: string) => Node {
  const compiled = new Map<string, Node>();
  const open = new Set<string>();
  const compileSlot = (name: string): Node => {
    const known = compiled.get(name);
    if (known) return known;
    const alternatives: Alternatives | undefined = spec.slots?.[name] ?? commonSlots[name];
    if (!alternatives) throw new Error(`text-world: '${owner}' uses the unknown slot <${name}>`);
    if (open.has(name)) throw new Error(`text-world: in '${owner}' the slot <${name}> contains itself`);
    open.add(name);
    const list = 'uniform' in alternatives ? alternatives.uniform : alternatives;
    const options = list.map((template) => compileTemplate(template, compileSlot));
    const filled = choice(options, 'uniform' in alternatives ? list.map(() => 1 / list.length) : undefined);
    const node: Node = name === TRAIT_SLOT ? { kind: 'tag', role: 'trait', id: owner, body: filled } : filled;
    open.delete(name);
    compiled.set(name, node);
    return node;
  };
  return compileSlot;
}

function compileTemplate(template: string, compileSlot: (name: string) => Node): Node {
  const parts: Node[] = [];
  for (const [piece, slot, chars] of template.matchAll(/<([a-z0-9]+)>|\[([^\]]+)\]|[^<[]+/g)) {
    if (slot !== undefined) parts.push(compileSlot(slot));
    else if (chars !== undefined) parts.push({ kind: 'class', chars: expandClass(chars) });
    else parts.push(text(piece));
  }
  return parts.length === 1 ? parts[0]! : { kind: 'seq', parts };
}

/** The grammar as a theme words it: `fill` makes what stands where traits show, of what stands there without a theme. */
export function withTraits(node: Node, fill: (generic: Node) => Node): Node {
  switch (node.kind) {
    case 'text':
    case 'class':
      return node;
    case 'seq': {
      const parts = node.parts.map((part) => withTraits(part, fill));
      return parts.some((part, i) => part !== node.parts[i]) ? { ...node, parts } : node;
    }
    case 'choice': {
      const options = node.options.map((option) => withTraits(option, fill));
      return options.some((option, i) => option !== node.options[i]) ? { ...node, options } : node;
    }
    case 'tag': {
      if (node.role === 'trait') return fill(node.body);
      const body = withTraits(node.body, fill);
      return body === node.body ? node : { ...node, body };
    }
  }
}

/** `0-9a-f` to `0123456789abcdef`. */
function expandClass(spec: string): string {
  return spec.replace(/(.)-(.)/g, (_, from: string, to: string) =>
    Array.from({ length: to.charCodeAt(0) - from.charCodeAt(0) + 1 }, (_unused, i) =>
      String.fromCharCode(from.charCodeAt(0) + i),
    ).join(''),
  );
}

/** A draw from a grammar: the text and the log-probability of its derivation, in nats. */
export interface Draw {
  readonly text: string;
  readonly logProb: number;
}

/** Draws from the grammar. */
export function sample(node: Node, rng: Rng): Draw {
  switch (node.kind) {
    case 'text':
      return { text: node.text, logProb: 0 };
    case 'class':
      return { text: node.chars[rng.int(node.chars.length)]!, logProb: -Math.log(node.chars.length) };
    case 'choice': {
      const index = rng.weighted(node.probs);
      const chosen = sample(node.options[index]!, rng);
      return { text: chosen.text, logProb: chosen.logProb + Math.log(node.probs[index]!) };
    }
    case 'seq': {
      let out = '';
      let logProb = 0;
      for (const part of node.parts) {
        const drawn = sample(part, rng);
        out += drawn.text;
        logProb += drawn.logProb;
      }
      return { text: out, logProb };
    }
    case 'tag':
      return sample(node.body, rng);
  }
}

/** All texts of a grammar: for small ones, such as the lines that ask about a topic. */
export function textsOf(node: Node): string[] {
  switch (node.kind) {
    case 'text':
      return [node.text];
    case 'class':
      return [...node.chars];
    case 'choice':
      return node.options.flatMap(textsOf);
    case 'seq':
      return node.parts.reduce<string[]>(
        (heads, part) => heads.flatMap((head) => textsOf(part).map((tail) => head + tail)),
        [''],
      );
    case 'tag':
      return textsOf(node.body);
  }
}

/** Exact entropy of a derivation in nats: of the text too, when every text has one derivation only. */
export function entropy(root: Node): number {
  // Shared nodes are met on many ways: each is computed once.
  const known = new Map<Node, number>();
  const of = (node: Node): number => {
    const found = known.get(node) ?? compute(node);
    known.set(node, found);
    return found;
  };
  const compute = (node: Node): number => {
    switch (node.kind) {
      case 'text':
        return 0;
      case 'class':
        return Math.log(node.chars.length);
      case 'seq':
        return node.parts.reduce((sum, part) => sum + of(part), 0);
      case 'choice':
        return node.options.reduce(
          (sum, option, i) => sum + node.probs[i]! * (of(option) - Math.log(node.probs[i]!)),
          0,
        );
      case 'tag':
        return of(node.body);
    }
  };
  return of(root);
}
