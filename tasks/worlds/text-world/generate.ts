/** @file Draws documents of the text world, freely or with chosen topic and concepts. */
import type { Rng } from '../../../harness/contract.ts';
import type { Concept, Topic } from './concepts.ts';
import { addCapitals, type ClauseOdds, clauseCounts, clauseOdds, connector, opener } from './document.ts';
import type { Draw } from './grammar.ts';
import { sample } from './grammar.ts';
import { polysemes } from './lexicon/polysemes.ts';
import type { Theme } from './theme.ts';

/** What is forced in a document; everything else is drawn. */
export interface GenerateOptions {
  /** The concept that governs the document. */
  readonly theme?: string;
  /** Concepts that have a clause, in a random order: at most 3. */
  readonly concepts?: readonly string[];
  readonly topic?: string;
  /** Concepts that must not be drawn, as a theme or in passing. */
  readonly avoid?: readonly string[];
  /**
   * Weaves in a clause near this concept, and never the concept: one that uses a word it shares in another sense,
   * or, for a concept without such a word, a sibling of its domain.
   */
  readonly hardNegativeFor?: string;
  /** The concept that `hardNegativeFor` confuses with it is the theme too. */
  readonly hardNegativeTheme?: boolean;
  /** Number of clauses, at least 1 more than `concepts`. Default: drawn from `clauseCounts`. */
  readonly clauses?: number;
}

/** A stretch of the document [start, end) in characters that shows a concept by itself: a clause or an aside, no trait. */
export interface ConceptSpan {
  readonly start: number;
  readonly end: number;
  readonly concept: string;
}

/** A document and all that is known about it. */
export interface TextDocument {
  /** `instruction` + line break + `response`. */
  readonly text: string;
  readonly instruction: string;
  readonly response: string;
  readonly topic: string;
  readonly theme: string;
  /** Concepts in order of appearance, each once. */
  readonly concepts: readonly string[];
  readonly spans: readonly ConceptSpan[];
  /** Log-probability in nats under the default distribution, the end of the document included. */
  readonly logProb: number;
  /** -logProb by source, in nats: they sum to it. The theme is counted among the concepts, its asides in the frame. */
  readonly entropyParts: { instruction: number; frame: number; topic: number; concepts: number };
}

const MAX_CONCEPTS = 3;
/** Draws until a clause uses the shared word; every sense uses its word in at least a tenth of its clauses. */
const MAX_TRIES = 400;

interface SharedWord {
  word: string;
  others: string[];
}

/** By concept, in the order of the lexicon: clauses are drawn by the thousand, and the lexicon does not change. */
const SHARED: ReadonlyMap<string, readonly SharedWord[]> = new Map(
  [...new Set(Object.values(polysemes).flat())].map((id) => [id, sharedBy(id)]),
);

function sharedBy(conceptId: string): SharedWord[] {
  return Object.entries(polysemes)
    .filter(([, owners]) => owners.includes(conceptId))
    .map(([word, owners]) => ({ word, others: owners.filter((owner) => owner !== conceptId) }));
}

/** Words that the concept shares with others in another sense, each with the others. */
export const sharedWords = (conceptId: string): readonly SharedWord[] => SHARED.get(conceptId) ?? [];

/** Matches the word, or its plural. */
export function wordPattern(word: string): RegExp {
  return new RegExp(`\\b${word}s?\\b`, 'i');
}

/** A generator over these concepts and topics. */
export function createGenerator(
  concepts: readonly Concept[],
  topics: readonly Topic[],
  themeOf: (id: string) => Theme | undefined,
): (rng: Rng, options?: GenerateOptions) => TextDocument {
  const conceptById = new Map(concepts.map((concept) => [concept.id, concept]));
  const topicById = new Map(topics.map((topic) => [topic.id, topic]));
  const conceptOf = (id: string): Concept => conceptById.get(id) ?? fail(`unknown concept '${id}'`);
  const drawClause = (id: string, theme: Theme, rng: Rng): Draw => sample(theme.clauseOf(conceptOf(id)), rng);

  /** A concept near the target that is allowed, and what its clause must match to be mistaken for it. */
  const chooseNear = (target: string, avoid: ReadonlySet<string>, rng: Rng): { id: string; pattern?: RegExp } => {
    const senses = sharedWords(target).flatMap(({ word, others }) => {
      const allowed = others.filter((id) => !avoid.has(id));
      return allowed.length > 0 ? [{ word, allowed }] : [];
    });
    if (senses.length > 0) {
      const { word, allowed } = rng.choice(senses);
      return { id: rng.choice(allowed), pattern: wordPattern(word) };
    }
    const { domain } = conceptOf(target);
    const siblings = concepts.filter(({ id, domain: other }) => other === domain && !avoid.has(id));
    return siblings.length > 0 ? { id: rng.choice(siblings).id } : fail(`nothing near '${target}' is allowed`);
  };

  const drawMatching = (id: string, pattern: RegExp | undefined, theme: Theme, rng: Rng): Draw => {
    for (let i = 0; i < MAX_TRIES; i++) {
      const draw = drawClause(id, theme, rng);
      if (!pattern || pattern.test(draw.text)) return draw;
    }
    return fail(`no clause of '${id}' matches ${pattern}`);
  };

  return (rng, options = {}) => {
    const { hardNegativeFor, hardNegativeTheme = false, concepts: wanted = [] } = options;
    const avoid = new Set(options.avoid ?? []);
    if (hardNegativeFor !== undefined) avoid.add(conceptOf(hardNegativeFor).id);
    const near = hardNegativeFor === undefined ? undefined : chooseNear(hardNegativeFor, avoid, rng);
    const themeId = options.theme ?? (hardNegativeTheme && near ? near.id : drawAllowed(concepts, null, avoid, rng));
    const refused = [themeId, ...wanted].find((id) => avoid.has(id));
    if (refused !== undefined) fail(`'${refused}' is asked for and to be avoided`);
    const theme = themeOf(themeId) ?? fail(`unknown theme '${themeId}'`);
    const forced = wanted.map((id) => ({ id, draw: drawClause(id, theme, rng) }));
    if (near) forced.push({ id: near.id, draw: drawMatching(near.id, near.pattern, theme, rng) });
    if (forced.length > MAX_CONCEPTS) fail(`at most ${MAX_CONCEPTS} concepts fit, got ${forced.length}`);
    const topic = options.topic === undefined ? rng.choice(topics) : topicById.get(options.topic);
    if (!topic) return fail(`unknown topic '${options.topic}'`);

    const { count, prob } = drawCount(options.clauses, forced.length, rng);
    const slots = [...rng.sample(count - 1, forced.length)];

    const instruction = sample(topic.instruction, rng);
    const parts = {
      instruction: Math.log(topics.length) - instruction.logProb,
      frame: -Math.log(prob),
      topic: 0,
      concepts: Math.log(concepts.length),
    };
    const spans: ConceptSpan[] = [];
    let plain = `${instruction.text}\n`;
    const append = (draw: Draw): void => {
      plain += draw.text;
      parts.frame -= draw.logProb;
    };
    const appendConcept = (id: string, draw: Draw): void => {
      spans.push({ start: plain.length, end: plain.length + draw.text.length, concept: id });
      plain += draw.text;
      parts.frame -= Math.log(id === themeId ? clauseOdds.theme : clauseOdds.other);
      if (id !== themeId) parts.concepts += Math.log(concepts.length - 1);
      parts.concepts -= draw.logProb;
    };
    const appendCloser = (draw: Draw): void => {
      const aside = theme.asideIn(draw.text);
      const end = plain.length + draw.text.length;
      if (aside !== undefined) spans.push({ start: end - aside.length, end, concept: themeId });
      append(draw);
    };
    for (let i = 0; i < count; i++) {
      if (i > 0) append(sample(connector, rng));
      append(sample(opener, rng));
      const chosen = i === 0 ? -1 : slots.indexOf(i - 1);
      const drawn = i === 0 ? 'topic' : drawSubject(rng);
      if (chosen >= 0) appendConcept(forced[chosen]!.id, forced[chosen]!.draw);
      else if (drawn === 'topic') {
        const draw = sample(theme.clauseOf(topic), rng);
        plain += draw.text;
        parts.topic -= draw.logProb;
        if (i > 0) parts.frame -= Math.log(clauseOdds.topic);
      } else {
        const id = drawn === 'theme' ? themeId : drawAllowed(concepts, themeId, avoid, rng);
        appendConcept(id, drawClause(id, theme, rng));
      }
      appendCloser(sample(i === 0 ? theme.firstCloser : theme.closer, rng));
    }
    const text = addCapitals(`${plain}.`);
    return {
      text,
      instruction: instruction.text,
      response: text.slice(instruction.text.length + 1),
      topic: topic.id,
      theme: themeId,
      concepts: [...new Set(spans.map((span) => span.concept))],
      spans,
      logProb: -(parts.instruction + parts.frame + parts.topic + parts.concepts),
      entropyParts: parts,
    };
  };
}

/** Number of clauses, and its probability under the default distribution: 0 for a number that it never draws. */
function drawCount(asked: number | undefined, forced: number, rng: Rng): { count: number; prob: number } {
  const sizes = clauseCounts.filter(({ count }) => count > forced);
  if (asked === undefined) return sizes[rng.weighted(sizes.map((size) => size.prob))]!;
  if (asked <= forced) fail(`${forced} concepts need at least ${forced + 1} clauses, got ${asked}`);
  return sizes.find(({ count }) => count === asked) ?? { count: asked, prob: 0 };
}

/** What a clause after the first is on. */
function drawSubject(rng: Rng): keyof ClauseOdds {
  const { topic, theme, other } = clauseOdds;
  return (['topic', 'theme', 'other'] as const)[rng.weighted([topic, theme, other])]!;
}

/** A concept that is neither the theme nor to be avoided. */
function drawAllowed(concepts: readonly Concept[], theme: string | null, avoid: ReadonlySet<string>, rng: Rng): string {
  const allowed = concepts.filter(({ id }) => id !== theme && !avoid.has(id));
  return allowed.length === 0 ? fail('every concept is to be avoided') : rng.choice(allowed).id;
}

function fail(message: string): never {
  throw new Error(`text-world: ${message}`);
}
