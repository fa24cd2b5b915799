/** @file Concepts of the domain nature. */
import type { DomainSpec } from './lexicon.ts';

/** Rivers, weather, cranes, fish, snakes. */
export const nature: DomainSpec = {
  domain: 'nature',
  clinical: false,
  concepts: [
    {
      id: 'river',
      label: 'river',
      description: 'a river, its bank and its current',
      traits: ['flowing', 'riverside', 'meandering'],
      asides: ['by the riverbank', 'at the waterfall', 'against the rapids'],
      clauses: [
        'the<adj> river rose over its <side> bank',
        'a strong current carried the <thing> down the river',
        'willows grew on the bank of the river',
        'the <thing> drifted with the current of the stream',
      ],
      slots: { side: ['left', 'right', 'muddy'], thing: ['boat', 'log', 'leaves'] },
    },
    {
      id: 'weather',
      label: 'weather forecast',
      description: 'air pressure, fronts, wind, storms',
      traits: ['stormy', 'windy', 'rainy'],
      asides: ['under grey clouds', 'in a sudden gale', 'with thunder overhead'],
      clauses: [
        'a cold front brings <sky> from the <wind>',
        'low pressure over the sea brings <sky>',
        'the temperature outside drops below zero',
        'the forecast says <sky> and a <wind> wind',
      ],
      slots: { sky: ['rain', 'snow', 'storms', 'fog'], wind: ['north', 'west', 'south'] },
    },
    {
      id: 'crane-bird',
      label: 'cranes and other wading birds',
      description: 'the crane as a bird, with herons and storks',
      traits: ['feathered', 'winged', 'nesting'],
      asides: ['among the reeds', 'with flapping wings', 'like a heron'],
      clauses: [
        'a<adj> grey crane spread its wings over the <place>',
        'the cranes fly south with the <bird>',
        'a<adj> crane built its nest near the <place>',
      ],
      slots: { place: ['marsh', 'lake', 'reeds'], bird: ['geese', 'storks', 'herons'] },
    },
    {
      id: 'fish',
      label: 'fish',
      description: 'fish, their scales, fins and gills',
      traits: ['scaly', 'slippery', 'finned'],
      asides: ['under the water', 'like a shoal', 'with gaping gills'],
      clauses: [
        'the <fish> has silver scales and <part>',
        'each scale of the <fish> shines in the water',
        'the<adj> <fish> breathes with its gills',
      ],
      slots: { fish: ['trout', 'salmon', 'carp'], part: ['red fins', 'a forked tail'] },
    },
    {
      id: 'snake',
      label: 'snakes',
      description: 'snakes such as pythons and vipers',
      traits: ['venomous', 'slithering', 'coiled'],
      asides: ['with bared fangs', 'in slow coils', 'without a hiss'],
      clauses: [
        'the <snake> swallowed a <prey>',
        'a<adj> <snake> hissed in the grass',
        'the<adj> <snake> shed its skin under a rock',
      ],
      slots: { snake: ['python', 'viper', 'cobra'], prey: ['rat', 'frog', 'rabbit'] },
    },
  ],
};
