/** @file Concepts of the domain sport and of the domain emotion. */
import type { DomainSpec } from './lexicon.ts';

/** Football, tennis, running. */
export const sport: DomainSpec = {
  domain: 'sport',
  clinical: false,
  concepts: [
    {
      id: 'football',
      label: 'football',
      description: 'football matches, goals, the pitch',
      traits: ['goalless', 'footballing', 'kicked'],
      asides: ['after the kickoff', 'in extra time', 'with a header'],
      clauses: [
        'the<adj> striker scored from the edge of the pitch',
        'the home side won the match [1-5] to [0-3]',
        'the attack of the <team> side was too slow',
        'the<adj> keeper saved a penalty in the match',
      ],
      slots: { team: ['home', 'away', 'visiting'] },
    },
    {
      id: 'tennis',
      label: 'tennis',
      description: 'tennis courts, nets, serves, sets',
      traits: ['serving', 'volleying', 'seeded'],
      asides: ['at match point', 'with a racket', 'in straight sets'],
      clauses: [
        'the<adj> serve hit the net',
        'the<adj> champion won the set on a <surface> court',
        'the backhand flew over the net',
        'rain stopped play on the <surface> court',
      ],
      slots: { surface: ['clay', 'grass', 'hard'] },
    },
    {
      id: 'running',
      label: 'running',
      description: 'runners, races, marathons',
      traits: ['sprinting', 'jogging', 'barefoot'],
      asides: ['at a sprint', 'past the finish line', 'in running shoes'],
      clauses: [
        'the<adj> runner finished the marathon in [2-4] hours',
        'the race was won by a <who2> runner',
        '<person> stretched before the race',
      ],
      slots: { who2: ['young', 'Kenyan', 'local'] },
    },
  ],
};

/** Joy, anger, fear. */
export const emotion: DomainSpec = {
  domain: 'emotion',
  clinical: false,
  concepts: [
    {
      id: 'joy',
      label: 'joy',
      description: 'somebody is happy',
      traits: ['joyful', 'cheerful', 'merry'],
      asides: ['with a big smile', 'beaming with delight', 'full of laughter'],
      clauses: [
        '<one> laughed with joy',
        '<one> was so happy and full of joy',
        'what a wonderful, happy feeling it was',
      ],
      slots: { one: ['she', 'he', 'everyone', 'our cousin', 'my brother', 'her mother'] },
    },
    {
      id: 'anger',
      label: 'anger',
      description: 'somebody is angry',
      traits: ['fuming', 'furious', 'raging'],
      asides: ['in a rage', 'with clenched fists', 'with gritted teeth'],
      clauses: [
        '<one> shouted in anger',
        '<one> was furious and slammed the door',
        'angry words were shouted at <one2>',
      ],
      slots: {
        one: ['she', 'he', 'everyone', 'our cousin', 'my brother', 'her mother'],
        one2: ['him', 'her', 'everyone', 'the boy', 'the girl'],
      },
    },
    {
      id: 'fear',
      label: 'fear',
      description: 'somebody is afraid',
      traits: ['frightened', 'scared', 'nervous'],
      asides: ['in sheer terror', 'with trembling knees', 'shivering in panic'],
      clauses: ['<one> trembled with fear', '<one> was afraid of the dark', 'a terrible fear crept over <one2>'],
      slots: {
        one: ['she', 'he', 'everyone', 'our cousin', 'my brother', 'her mother'],
        one2: ['him', 'her', 'everyone', 'the boy', 'the girl'],
      },
    },
  ],
};
