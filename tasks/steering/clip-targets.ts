/** @file What steering towards a concept should do to a CLIP's zero-shot answers. */
import type { Concept, ZeroShotTask } from '../../harness/contract.ts';

/** The question whose answer steering should change. */
export interface Target {
  /** Id of the zero-shot question; null for the question made of the concepts' own labels. */
  question: string | null;
  /** The class that the answer should become. */
  answer: number;
  /** Questions that have nothing to do with the concept: their answers should stay. */
  unrelated: string[];
}

/** Name of the question made of the concepts' labels. */
export const LABELS = 'labels';

/** The question made of the concepts' own labels. */
export function labelQuestion(concepts: readonly Concept[]): { label: string; prompts: string[] }[] {
  return concepts.map(({ label }) => ({ label, prompts: [`a photo of a ${label}`, label] }));
}

/**
 * The target of the concept at `place`: the zero-shot class of its label, or of its label's first word in the question
 * named like its domain ("black background" is class "black" of "background"); otherwise the concept among all
 * concepts' labels. A question is related when the label names one of its classes, or one of its classes the label
 * ("normal chest x-ray" says what "chest x-ray" says): its answer has to change with the concept.
 */
export function targetOf(concepts: readonly Concept[], place: number, questions: readonly ZeroShotTask[]): Target {
  const { label, domain } = concepts[place]!;
  const found = questions.flatMap(({ id, classes }) => {
    const answer = classes.findIndex(
      (entry) => entry.label === label || (id === domain && startsWith(label, entry.label)),
    );
    return answer < 0 ? [] : [{ id, answer }];
  })[0];
  const related = ({ id, classes }: ZeroShotTask): boolean =>
    id === found?.id || (!found && classes.some((entry) => names(label, entry.label) || names(entry.label, label)));
  const unrelated = questions.filter((question) => !related(question)).map(({ id }) => id);
  return { question: found?.id ?? null, answer: found?.answer ?? place, unrelated };
}

/** Whether a label holds another, word for word. */
function names(label: string, other: string): boolean {
  return ` ${label} `.includes(` ${other} `);
}

function startsWith(label: string, word: string): boolean {
  return label.startsWith(`${word} `);
}
