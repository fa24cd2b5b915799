/** @file The page on which raters answer the questions of an assessment: one offline file that knows no answer. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../harness/paths.ts';
import type { AssessmentExample, AssessmentItem } from '../harness/schema/assessment-item.generated.ts';
import type { AssessmentSet } from '../harness/schema/assessment-set.generated.ts';
import { scriptJson } from './escape.ts';
import { renderTemplate } from './template.ts';

/** What a rater reads before the questions, and the question above each. */
interface Wording {
  title: string;
  question: string;
  /** `{things}` are texts or images. */
  instructions: string;
  answers: 'group' | 'yes-no' | 'words';
  marked?: string;
}

const MARKS = 'Words are marked where that something is strongest, the stronger the darker.';

const WORDINGS: Readonly<Record<AssessmentSet['protocol'], Wording>> = {
  intruder: {
    title: 'Which one does not belong?',
    question: 'Four of these have something in common. Which one does not belong?',
    instructions:
      'You will see five {things}. Four of them have something in common, a topic, a form, a kind of word; one does not.',
    ...{ answers: 'group', marked: MARKS },
  },
  pair: {
    title: 'Which group is more focused?',
    question: 'In which group do the {things} have more in common?',
    instructions:
      'You will see two groups of {things}. Choose the group whose {things} have more in common, whatever that is.',
    ...{ answers: 'group', marked: MARKS },
  },
  detection: {
    title: 'Does it belong?',
    question: 'Does what the examples have in common occur in the last one too?',
    instructions:
      'You will see four examples that have something in common, and one {thing} below them. Does the same occur in it?',
    ...{ answers: 'yes-no', marked: MARKS },
  },
  fuzzing: {
    title: 'Are the right words marked?',
    question: 'Are the same kind of words marked in the last text as in the examples?',
    instructions:
      'You will see four examples in which words are marked for a reason, and one text below them. Is it marked for the same reason?',
    ...{ answers: 'yes-no', marked: 'The darker a mark, the stronger.' },
  },
  name: {
    title: 'What do they have in common?',
    question: 'What do these {things} have in common? A few words.',
    instructions:
      'You will see {things} that should have something in common. Say what, in one to five words; or that you see nothing.',
    ...{ answers: 'words', marked: MARKS },
  },
};

const asset = (name: string) => readFile(join(packageRoot, 'reports', 'templates', name), 'utf8');

/** Items whose images are numbers of a table: one that several questions show is in the page once. */
function tabled(items: readonly AssessmentItem[]) {
  const images = new Map<string, number>();
  const short = ({ image, ...rest }: AssessmentExample) => {
    if (image === undefined) return rest;
    if (!images.has(image)) images.set(image, images.size);
    return { image: images.get(image)! };
  };
  const all = items.map(({ references, groups, ...item }) => ({
    ...item,
    ...(references ? { references: references.map(short) } : {}),
    groups: groups.map((group) => group.map(short)),
  }));
  return { items: all, images: [...images.keys()] };
}

/** The page of a set. */
export async function renderAssessment(header: AssessmentSet, items: readonly AssessmentItem[]): Promise<string> {
  const { protocol, set, modality } = header;
  const { title, question, instructions, answers, marked } = WORDINGS[protocol];
  const filled = (text: string) =>
    text.replaceAll('{things}', modality === 'image' ? 'images' : 'texts').replaceAll('{thing}', modality);
  const script = await asset('assess.js');
  return renderTemplate('assess.html.hbs', {
    ...{ title, question: filled(question), set, items: items.length },
    instructions: [filled(instructions), ...(modality === 'text' && marked ? [marked] : [])],
    style: await asset('assess.css'),
    script,
    scriptHash: createHash('sha256').update(script).digest('base64'),
    data: scriptJson({ set, answers, ...tabled(items) }),
  });
}
