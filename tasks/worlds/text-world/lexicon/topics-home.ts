/** @file Topics of home, town and leisure. */
import type { TopicSpec } from './lexicon.ts';

/** Twelve topics: garden, dog, school, train, market, coffee, winter, wedding, house, camping, library, bicycle. */
export const homeTopics: readonly TopicSpec[] = [
  {
    id: 'garden',
    names: ['the garden', 'growing roses', 'planting flowers'],
    clauses: [
      'the<adj> <plant> need water and <need>',
      'in the garden the <plant> bloom in <season>',
      '<person> plants<adj> <plant> in <season>',
      'a<adj> gardener waters the <plant>',
    ],
    slots: {
      plant: ['roses', 'tulips', 'lilies', 'daisies', 'shrubs'],
      need: ['sun', 'good soil', 'shade', 'space'],
      season: ['spring', 'autumn', 'May'],
    },
  },
  {
    id: 'dog',
    names: ['a dog', 'training a puppy', 'man and dog'],
    clauses: [
      'the<adj> dog likes to <act>',
      'a<adj> puppy learns to <act>',
      'the dog of <person> wants <want>',
      '<person> taught the<adj> dog to <act>',
    ],
    slots: {
      act: ['bark', 'dig', 'fetch', 'sit', 'beg', 'roll over'],
      want: ['a long walk', 'a bone', 'a treat', 'a ball'],
    },
  },
  {
    id: 'school',
    names: ['a day at school', 'a good teacher', 'learning at school'],
    clauses: [
      'the<adj> teacher explains <subject>',
      '<person> learns <subject> at school',
      'the<adj> lesson on <subject> was <how>',
      'the homework in <subject> was <how>',
    ],
    slots: {
      subject: ['maths', 'history', 'spelling', 'physics', 'Latin'],
      how: ['short', 'hard', 'fun', 'easy', 'boring'],
    },
  },
  {
    id: 'train',
    names: ['a train journey', 'the railway', 'travel by train'],
    clauses: [
      'the<adj> train stops at <place>',
      'the <speed> train left for <place>',
      '<person> waits on the platform <mood>',
      'the conductor of the<adj> train checks <check>',
    ],
    slots: {
      place: ['the village', 'the border', 'every station', 'the capital'],
      speed: ['express', 'slow', 'night', 'first'],
      mood: ['with two bags', 'in the cold', 'for an hour'],
      check: ['the tickets', 'the doors', 'his watch'],
    },
  },
  {
    id: 'market',
    names: ['the weekly market', 'shopping for fruit', 'a fruit stall'],
    clauses: [
      'the<adj> stall sells <fruit>',
      'ripe <fruit> cost [1-9] coins a bag',
      '<person> bought<adj> <fruit> at the market',
      'the<adj> seller weighs the <fruit>',
    ],
    slots: { fruit: ['apples', 'plums', 'cherries', 'lemons', 'pears', 'grapes'] },
  },
  {
    id: 'coffee',
    names: ['a cup of coffee', 'making espresso', 'the best coffee'],
    clauses: [
      'the<adj> coffee tastes <taste>',
      '<person> drinks<adj> coffee with <with>',
      'fresh coffee is ground <grain>',
      'a cup of<adj> espresso tastes <taste>',
    ],
    slots: {
      taste: ['bitter', 'rich', 'of nuts', 'burnt', 'sour'],
      with: ['milk', 'cream', 'two spoons', 'no milk'],
      grain: ['very fine', 'coarse', 'by hand'],
    },
  },
  {
    id: 'winter',
    names: ['a winter day', 'life in the snow', 'the cold season'],
    clauses: [
      '<person> built a<adj> <thing> from snow',
      'the<adj> <surface> froze in winter',
      'thick snow covers the<adj> <surface>',
      'the icy <surface> is closed in winter',
    ],
    slots: {
      thing: ['snowman', 'fort', 'wall', 'tower'],
      surface: ['pond', 'road', 'hill', 'path', 'field'],
    },
  },
  {
    id: 'wedding',
    names: ['a wedding', 'the bride and groom', 'getting married'],
    clauses: [
      'the<adj> bride wore <dress>',
      '<person> danced at the wedding <until>',
      'the groom gave the bride <gift>',
      'at the<adj> wedding <person> cried <until>',
    ],
    slots: {
      dress: ['white', 'silk', 'lace', 'a veil'],
      until: ['until dawn', 'all night', 'for an hour', 'in the hall'],
      gift: ['a ring', 'flowers', 'a kiss', 'pearls'],
    },
  },
  {
    id: 'house',
    names: ['an old house', 'buying a home', 'moving house'],
    clauses: [
      'the<adj> house has [2-9] <rooms>',
      'the house of <person> needs <work>',
      'the<adj> attic of the house is <state>',
      '<person> rented a<adj> house with [2-9] <rooms>',
    ],
    slots: {
      rooms: ['rooms', 'windows', 'beds', 'stairs'],
      work: ['new paint', 'a new roof', 'repairs', 'a fence'],
      state: ['empty', 'dusty', 'warm', 'damp'],
    },
  },
  {
    id: 'camping',
    names: ['a camping trip', 'sleeping in a tent', 'a night outdoors'],
    clauses: [
      '<person> put up the<adj> tent by the <spot>',
      'a<adj> campfire keeps the tent <state>',
      'the hikers cooked over the campfire <time>',
      'the<adj> sleeping bag stays <state>',
    ],
    slots: {
      spot: ['trail', 'cliff', 'meadow', 'cave'],
      state: ['warm', 'dry', 'cosy', 'clean'],
      time: ['at dusk', 'at noon', 'in the dark', 'for hours'],
    },
  },
  {
    id: 'library',
    names: ['the library', 'reading old books', 'borrowing a book'],
    clauses: [
      'the<adj> library lends <books>',
      '<person> finds<adj> <books> on the shelf',
      'the<adj> librarian sorts the <books>',
      '<person> reads <books> in the library',
    ],
    slots: { books: ['novels', 'atlases', 'poems', 'comics', 'letters', 'diaries'] },
  },
  {
    id: 'bicycle',
    names: ['a bicycle', 'cycling to work', 'riding a bike'],
    clauses: [
      'the<adj> bicycle has <part>',
      '<person> cycles <road> to work',
      'the mechanic fixed the <piece> of the bicycle',
      '<person> rides a<adj> bicycle with <part>',
    ],
    slots: {
      part: ['two gears', 'a bell', 'wide tyres', 'a basket'],
      road: ['uphill', 'downhill', 'in the rain', 'every day'],
      piece: ['chain', 'brake', 'saddle', 'pedal'],
    },
  },
];
