/** @file Labelled sets for one concept: positives, negatives and hard negatives, matched in length. */
import type { Rng } from '../../../harness/contract.ts';
import type { GenerateOptions, TextDocument } from './generate.ts';
import type { TextWorld } from './world.ts';

/** Which split of the examples; the two never share a document. */
export type Split = 'train' | 'eval';

/** Labelled documents for one concept. */
export interface ConceptExamples {
  /** Documents that show the concept. */
  readonly positives: readonly TextDocument[];
  /** Documents with other concepts, as long as the positives. */
  readonly negatives: readonly TextDocument[];
  /** Documents with the concept's words in another sense, or else with a sibling concept. */
  readonly hardNegatives: readonly TextDocument[];
}

/** How many of each: AxBench's 72 + 72 for training and 36 + 36 for evaluation (Wu et al. 2025). */
const SIZES: Readonly<Record<Split, number>> = { train: 72, eval: 36 };
/** Candidates per negative: those closest in length to the positives are kept. */
const CANDIDATES = 3;
/** Candidates at least: few documents need more choice. */
const LEAST_CANDIDATES = 60;

/** How a concept's examples are drawn. */
export interface ExampleOptions {
  /** Documents of each label; AxBench's numbers by default. */
  readonly size?: number;
  /** Length to match between labels; give the subject's token count for an exact match in its tokens. */
  readonly lengthOf?: (text: string) => number;
}

/**
 * Examples of a concept. Each document belongs to one split by its hash, so the splits are disjoint whatever the
 * seed, and no document is drawn twice.
 */
export function conceptExamples(
  world: Pick<TextWorld, 'generate'>,
  conceptId: string,
  split: Split,
  rng: Rng,
  options: ExampleOptions = {},
): ConceptExamples {
  const { size = SIZES[split], lengthOf = symbolLength } = options;
  const stream = rng.fork(`concept examples ${conceptId} ${split}`);
  const used = new Set<string>();
  const draw = (choices: GenerateOptions): TextDocument => {
    for (;;) {
      const document = world.generate(stream, choices);
      if (splitOf(document.text) !== split || used.has(document.text)) continue;
      used.add(document.text);
      return document;
    }
  };
  // Half of them have the concept as their theme, half speak of it in passing; of hard negatives likewise, with the
  // concept that is near it.
  const positives = Array.from({ length: size }, (_, i) =>
    draw(i % 2 === 0 ? { theme: conceptId } : { concepts: [conceptId] }),
  );
  const lengths = positives.map((document) => lengthOf(document.text));
  /** For each positive the document closest in length, each once. */
  const matched = (choices: (i: number) => GenerateOptions): TextDocument[] => {
    const candidates = Array.from({ length: Math.max(LEAST_CANDIDATES, CANDIDATES * size) }, (_, i) =>
      draw(choices(i)),
    );
    const left = candidates.map((document) => ({ document, length: lengthOf(document.text) }));
    return lengths.map((target) => {
      const gaps = left.map(({ length }) => Math.abs(length - target));
      return left.splice(gaps.indexOf(Math.min(...gaps)), 1)[0]!.document;
    });
  };
  return {
    positives,
    negatives: matched(() => ({ avoid: [conceptId] })),
    hardNegatives: matched((i) => ({ hardNegativeFor: conceptId, hardNegativeTheme: i % 2 === 0 })),
  };
}

/** Instruction lines with their topics: the prompts of a steering task. */
export function steeringInstructions(world: TextWorld, rng: Rng, n: number): { topic: string; instruction: string }[] {
  return Array.from({ length: n }, () => {
    const { topic, instruction } = world.generate(rng);
    return { topic, instruction };
  });
}

/** The split a document belongs to: one bit of its FNV-1a hash. */
function splitOf(text: string): Split {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 16) & 1 ? 'train' : 'eval';
}

/** Length much as a byte-pair tokenizer sees it: a word of n letters counts ceil(n / 4), each digit and symbol 1. */
function symbolLength(text: string): number {
  return [...text.matchAll(/[A-Z]?[a-z]{1,4}|[^a-z\s]/g)].length;
}
