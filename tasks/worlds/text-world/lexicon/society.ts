/** @file Concepts of the domain society. */
import type { DomainSpec } from './lexicon.ts';

/** Prison, courts, grammar lessons, ships, fishing. */
export const society: DomainSpec = {
  domain: 'society',
  clinical: false,
  concepts: [
    {
      id: 'prison',
      label: 'prison',
      description: 'prisoners, cells, sentences served',
      traits: ['jailed', 'barred', 'handcuffed'],
      asides: ['behind bars', 'in handcuffs', 'on parole'],
      clauses: [
        'the<adj> prisoner sat in a <kind> cell',
        'the<adj> thief served a sentence of [2-9] years',
        'the guard locked the <kind> cell at night',
      ],
      slots: { kind: ['dark', 'narrow', 'bare'] },
    },
    {
      id: 'court-trial',
      label: 'court trial',
      description: 'judges, juries, charges, trials at court',
      traits: ['lawful', 'sworn', 'prosecuted'],
      asides: ['under oath', 'before the jurors', 'by decree'],
      clauses: [
        'the<adj> judge opened the trial in a full court',
        'the jury heard the charge of <crime>',
        'the trial for <crime> ended with a <verdict> verdict',
        'the<adj> lawyer denied the charge in court',
      ],
      slots: { crime: ['theft', 'fraud', 'murder'], verdict: ['guilty', 'mild'] },
    },
    {
      id: 'grammar',
      label: 'grammar',
      description: 'words, sentences and their parts as a matter of language',
      traits: ['grammatical', 'plural', 'misspelt'],
      asides: ['in the past tense', 'with a semicolon', 'like an adverb'],
      clauses: [
        'the sentence needs a <part>',
        'the <part> comes first in the sentence',
        '<person> wrote a sentence without a <part>',
      ],
      slots: { part: ['verb', 'comma', 'noun', 'subject'] },
    },
    {
      id: 'ship',
      label: 'ships',
      description: 'vessels, ports, captains',
      traits: ['seafaring', 'nautical', 'moored'],
      asides: ['on deck', 'at anchor', 'under full sail'],
      clauses: [
        'the vessel left the port with <cargo>',
        'the<adj> captain steered the vessel through <sea>',
        'a<adj> cargo vessel sank in <sea>',
      ],
      slots: { cargo: ['grain', 'coal', 'timber'], sea: ['the storm', 'the strait', 'heavy ice'] },
    },
    {
      id: 'fishing',
      label: 'fishing',
      description: 'fishing with nets, lines and hooks',
      traits: ['baited', 'hooked', 'netted'],
      asides: ['with rod and reel', 'on a fishing trip', 'by the tackle box'],
      clauses: [
        'the<adj> fisherman threw the net into the <water>',
        'the<adj> net was full of <catch>',
        'the fisherman baited his hook with <bait>',
      ],
      slots: { water: ['bay', 'surf'], catch: ['herring', 'crabs', 'shrimp'], bait: ['worms', 'bread'] },
    },
  ],
};
