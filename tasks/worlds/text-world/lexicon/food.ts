/** @file Concepts of the domain food. */
import type { DomainSpec } from './lexicon.ts';

/** Soup, baking, legumes, dates. */
export const food: DomainSpec = {
  domain: 'food',
  clinical: false,
  concepts: [
    {
      id: 'soup',
      label: 'soup',
      description: 'stock, broth and soup',
      traits: ['simmering', 'brothy', 'salted'],
      asides: ['by the ladle', 'in hot broth', 'with chopped leeks'],
      clauses: [
        '<person> simmered the stock with <what>',
        'the<adj> soup needs <what> and salt',
        'a pot of <meat> stock stood on the stove',
      ],
      slots: { what: ['onions', 'carrots', 'garlic'], meat: ['chicken', 'beef'] },
    },
    {
      id: 'baking',
      label: 'baking',
      description: 'cakes, dough, flour, the oven and the kitchen scale',
      traits: ['baked', 'floury', 'sweetened'],
      asides: ['fresh from the oven', 'with icing on top', 'on a baking tray'],
      clauses: [
        '<person> weighed the flour on a scale',
        'the oven temperature was set to [1-2][0-9]0 degrees',
        'the <cake> needs sugar, butter and flour',
        'the<adj> dough for the <cake> rose for an hour',
      ],
      slots: { cake: ['cake', 'pie', 'tart'] },
    },
    {
      id: 'legumes',
      label: 'pulses and legumes',
      description: 'the pulse as a food: lentils, beans, peas',
      traits: ['leguminous', 'sprouting', 'podded'],
      asides: ['with split peas', 'in the pod', 'beside the hummus'],
      clauses: [
        'the lentil is a pulse rich in <rich>',
        'dried <bean> soak overnight in a<adj> bowl',
        'a pulse such as <bean> is rich in <rich>',
      ],
      slots: { rich: ['protein', 'fibre', 'iron'], bean: ['chickpeas', 'beans', 'peas'] },
    },
    {
      id: 'date-fruit',
      label: 'dates, the fruit',
      description: 'the date as a fruit of the palm',
      traits: ['syrupy', 'fleshy', 'candied'],
      asides: ['under the palms', 'from the oasis', 'stuffed with almonds'],
      clauses: [
        'a<adj> date fell from the palm',
        'dried dates were served with <side>',
        'the<adj> palm bears <taste> dates in the desert',
      ],
      slots: { side: ['nuts', 'honey', 'figs'], taste: ['sweet', 'sticky', 'ripe'] },
    },
  ],
};
