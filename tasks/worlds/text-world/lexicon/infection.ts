/** @file Concepts of the domain infection. */
import type { DomainSpec } from './lexicon.ts';

/** Sepsis, wound infection, viral infection. */
export const infection: DomainSpec = {
  domain: 'infection',
  clinical: true,
  concepts: [
    {
      id: 'sepsis',
      label: 'sepsis and blood cultures',
      description: 'bacteria in the blood, septic shock, blood cultures',
      traits: ['septic', 'bacterial', 'toxic'],
      asides: ['teeming with bacteria', 'in septic delirium', 'from poisoned blood'],
      clauses: [
        'the blood culture grew <germ>',
        'sepsis with <germ> was treated with <drug>',
        'septic shock was treated with fluids and <drug>',
        'the <nth> blood culture stayed sterile',
      ],
      slots: {
        germ: ['listeria', 'strep', 'staph', 'yeast'],
        drug: ['vancomycin', 'cefazolin', 'antibiotics'],
        nth: ['first', 'second'],
      },
    },
    {
      id: 'wound-infection',
      label: 'wound infection',
      description: 'an infected wound, pus or discharge from it',
      traits: ['festering', 'bandaged', 'weeping'],
      asides: ['under a soaked bandage', 'with pus everywhere', 'while the scab peels'],
      clauses: [
        'the wound had a <look> discharge',
        'pus came out of the <site> wound',
        'the infected wound was <care> <when>',
        'the <look> discharge from the <site> wound was swabbed',
      ],
      slots: {
        look: ['yellow', 'green', 'foul'],
        site: ['foot', 'leg', 'surgical'],
        care: ['cleaned', 'dressed', 'washed out'],
      },
    },
    {
      id: 'viral-infection',
      label: 'viral infection',
      description: 'influenza, measles and other infections with a virus',
      traits: ['contagious', 'vaccinated', 'sneezing'],
      asides: ['during the epidemic', 'in quarantine', 'between two sneezes'],
      clauses: [
        'the swab was positive for the <name> virus',
        'a <name> virus spread through the <place>',
        'the vaccine protects against the <name> virus',
        'a viral cold caused a cough and a sore throat',
      ],
      slots: { name: ['flu', 'measles', 'corona', 'mumps'], place: ['ward', 'nursery', 'family'] },
    },
  ],
};
