/** @file The questions that raters are asked, a kind an entry: what they see, what they answer, and what chance gives. */
import type { AssessmentSet } from '../schema/assessment-set.generated.ts';

export type ProtocolId = AssessmentSet['protocol'];

export interface Protocol {
  title: string;
  paper: string;
  /** What an answer is: the number of a group, yes or no, or words. */
  answer: 'group' | 'yes-no' | 'words';
  /** Share of right answers of one who guesses; null where it is measured, or nothing is right. */
  chance: number | null;
  /** Items that a latent must fire on, and be silent on, to be asked about: what one question shows of it. */
  texts: number;
  images: number;
  /** Questions about one latent. */
  questions: number;
  /** Read by who marks tokens: images have none. */
  needsTokens?: true;
  /** Where the strongest token of a text stands in what is shown of it; absent: at the middle. */
  peak?: 'anywhere';
}

/** Items that activate the latent beside the intruder, and in front of a question of detection or fuzzing. */
export const SHOWN = 4;

export const PROTOCOLS: Readonly<Record<ProtocolId, Protocol>> = {
  intruder: {
    title: 'Human assessment: intruder',
    paper: 'Paulo & Belrose 2025, arXiv:2507.08473',
    ...{ answer: 'group', chance: 1 / (SHOWN + 1), texts: SHOWN, images: SHOWN, questions: 1 },
  },
  pair: {
    title: 'Human assessment: the more focused of two latents',
    paper: 'Pach et al. 2025, arXiv:2504.02821',
    ...{ answer: 'group', chance: 1 / 2, texts: 6, images: 16, questions: 1 },
  },
  detection: {
    title: 'Human assessment: detection by examples',
    paper: 'Paulo et al. 2024, arXiv:2410.13928',
    ...{ answer: 'yes-no', chance: 1 / 2, texts: SHOWN + 2, images: SHOWN + 2, questions: 2 },
  },
  fuzzing: {
    title: 'Human assessment: fuzzing by examples',
    paper: 'Paulo et al. 2024, arXiv:2410.13928',
    ...{ answer: 'yes-no', chance: 1 / 2, texts: SHOWN + 2, images: SHOWN + 2, questions: 2 },
    ...{ needsTokens: true, peak: 'anywhere' },
  },
  name: {
    title: 'Human assessment: names',
    paper: 'Bills et al. 2023',
    ...{ answer: 'words', chance: null, texts: 6, images: 9, questions: 1 },
  },
};

/** What a rater writes, or chooses, who sees nothing that the examples have in common. */
export const NO_NAME = 'none';

/** The most characters of a name. */
export const NAME_LENGTH = 200;

export const PROTOCOL_IDS = Object.keys(PROTOCOLS) as ProtocolId[];
