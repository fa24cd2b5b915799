/** @file Topics of work, nature, science and care. */
import type { TopicSpec } from './lexicon.ts';

/** Twelve topics: moon, forest, farm, beach, city, painting, factory, airport, clinic, nursing, pharmacy shop, bees. */
export const worldTopics: readonly TopicSpec[] = [
  {
    id: 'moon',
    names: ['the moon', 'a trip to space', 'the planets'],
    clauses: [
      'the<adj> rocket flew to the <body>',
      'astronauts study the<adj> <body>',
      'the<adj> <body> turns without a sound in space',
      '<person> saw the <body> through a telescope',
    ],
    slots: { body: ['moon', 'planet', 'comet', 'asteroid', 'red planet'] },
  },
  {
    id: 'forest',
    names: ['the forest', 'tall trees', 'a walk in the woods'],
    clauses: [
      'the<adj> <tree> is the tallest tree of the forest',
      '<animal> hide in the <tree> forest',
      'moss covers the<adj> <tree> trunk',
      '<person> saw <animal> under the <tree>',
    ],
    slots: { tree: ['oak', 'pine', 'birch', 'beech', 'elm'], animal: ['deer', 'foxes', 'owls', 'wolves'] },
  },
  {
    id: 'farm',
    names: ['a farm', 'raising animals', 'the work of a farmer'],
    clauses: [
      'the<adj> farmer feeds the <animals>',
      'the<adj> <animals> sleep in the barn',
      'the farm has [2-9]0 <animals>',
      '<person> led the <animals> to the<adj> barn',
    ],
    slots: { animals: ['cows', 'sheep', 'goats', 'pigs', 'hens', 'ducks'] },
  },
  {
    id: 'beach',
    names: ['the beach', 'a summer holiday', 'a day by the sea'],
    clauses: [
      'the waves roll onto the<adj> beach <time>',
      '<person> lies on the <sand> sand <time>',
      'the<adj> lifeguard watches the <people>',
      '<people> love the<adj> beach',
    ],
    slots: {
      time: ['at noon', 'all day', 'in July', 'at sunset'],
      sand: ['white', 'hot', 'wet', 'soft'],
      people: ['swimmers', 'surfers', 'tourists', 'divers'],
    },
  },
  {
    id: 'city',
    names: ['a big city', 'city traffic', 'life downtown'],
    clauses: [
      'the<adj> city has <much> traffic',
      'the<adj> bus crosses the <part>',
      'the mayor closed the <part> to cars',
      '<person> walks across the<adj> <part>',
    ],
    slots: {
      much: ['heavy', 'too much', 'less', 'noisy'],
      part: ['bridge', 'square', 'tunnel', 'avenue', 'crossing'],
    },
  },
  {
    id: 'painting',
    names: ['an oil painting', 'a famous painter', 'colours and brushes'],
    clauses: [
      'the<adj> painter mixed <colour> and <colour2>',
      'the canvas shows a<adj> <motif>',
      'her brush left <colour> on the canvas',
      '<person> painted a <colour2> <motif>',
    ],
    slots: {
      colour: ['blue', 'red', 'yellow', 'orange'],
      colour2: ['white', 'grey', 'purple', 'green'],
      motif: ['village', 'vase', 'horse', 'castle'],
    },
  },
  {
    id: 'factory',
    names: ['a factory', 'how cars are built', 'factory work'],
    clauses: [
      'the workers assemble<adj> <goods>',
      'the<adj> factory makes [2-9]00 <goods> a day',
      'a<adj> robot welds the <goods>',
      '<person> tests the <goods> at the factory',
    ],
    slots: { goods: ['engines', 'doors', 'trucks', 'wheels', 'seats'] },
  },
  {
    id: 'airport',
    names: ['an airport', 'flying by plane', 'a long flight'],
    clauses: [
      'the<adj> plane to <city> was <state>',
      'the<adj> pilot landed in <city>',
      'the flight to <city> takes [2-9] hours',
      '<person> flew to <city>',
    ],
    slots: {
      city: ['Paris', 'Tokyo', 'Cairo', 'Lima', 'Oslo'],
      state: ['late', 'full', 'on time', 'early', 'empty'],
    },
  },
  {
    id: 'clinic',
    names: ['a visit to the clinic', 'seeing a doctor', 'the waiting room'],
    clauses: [
      'the<adj> clinic opens <open>',
      'the visit of <person> to the clinic takes <long>',
      'the waiting room of the<adj> clinic was <state>',
      '<person> came to the clinic <open>',
    ],
    slots: {
      open: ['early', 'at noon', 'at eight', 'late'],
      long: ['an hour', 'all day', 'ten minutes'],
      state: ['full', 'quiet', 'empty', 'crowded'],
    },
  },
  {
    id: 'nursing',
    names: ['work as a nurse', 'the night shift', 'a tired nurse'],
    clauses: [
      'nurses on the<adj> night shift <act>',
      'the nurses like to <act>',
      'a long shift makes nurses <state>',
      '<person> starts the<adj> shift <state>',
    ],
    slots: {
      act: ['share tea', 'make beds', 'help patients', 'tell jokes'],
      state: ['tired', 'proud', 'hungry', 'sleepy'],
    },
  },
  {
    id: 'pharmacy-shop',
    names: ['the pharmacy', 'the work of a pharmacist', 'a shop for remedies'],
    clauses: [
      'the<adj> pharmacist fills <vessels>',
      'the pharmacy sells<adj> <goods>',
      '<person> asks the pharmacist for <goods>',
      'the<adj> pharmacy has run out of <goods>',
    ],
    slots: {
      vessels: ['bottles', 'boxes', 'jars', 'tubes'],
      goods: ['syrup', 'soap', 'plasters', 'lotion', 'vitamins'],
    },
  },
  {
    id: 'bees',
    names: ['honey bees', 'keeping a hive', 'the life of bees'],
    clauses: [
      'the bees fly from <flower> to <flower2>',
      'the<adj> queen rules the <hive>',
      'the beekeeper opens the<adj> <hive> <how>',
      '<person> watched the bees on the <flower>',
    ],
    slots: {
      flower: ['clover', 'lavender', 'mint'],
      flower2: ['thyme', 'sage', 'heather'],
      hive: ['hive', 'swarm', 'colony'],
      how: ['with smoke', 'slowly', 'in a veil', 'at midday'],
    },
  },
];
