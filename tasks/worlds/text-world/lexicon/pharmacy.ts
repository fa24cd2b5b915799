/** @file Concepts of the domain pharmacy. */
import type { DomainSpec } from './lexicon.ts';

/** Drug doses, drug allergies, side effects. */
export const pharmacy: DomainSpec = {
  domain: 'pharmacy',
  clinical: true,
  concepts: [
    {
      id: 'drug-dose',
      label: 'drug dose',
      description: 'a medicine with its dose and how often it is taken',
      traits: ['dosed', 'medicated', 'prescribed'],
      asides: ['by the milligram', 'between two tablets', 'on prescription'],
      clauses: [
        '<who> took [1-9]00 mg of <drug> <often>',
        'the dose of <drug> was [1-9]0 mg <often>',
        'one tablet of <drug> was given <often>',
        '<who> <change> the <drug> to [1-9]0 mg',
      ],
      slots: {
        drug: ['aspirin', 'ibuprofen', 'warfarin', 'morphine', 'metformin'],
        often: ['twice daily', 'once a day', 'every [4-8] hours', 'at night'],
        change: ['raised', 'cut'],
      },
    },
    {
      id: 'drug-allergy',
      label: 'drug allergy',
      description: 'an allergic reaction to a medicine',
      traits: ['blotchy', 'swollen', 'hypersensitive'],
      asides: ['despite the antihistamine', 'with itchy skin', 'after anaphylaxis'],
      clauses: [
        'the patient is allergic to <drug>',
        'a <degree> reaction to <drug> caused <sign>',
        'the chart lists a <drug> allergy with <sign>',
      ],
      slots: {
        drug: ['penicillin', 'sulfa', 'latex', 'codeine'],
        degree: ['severe', 'mild'],
        sign: ['hives', 'a rash', 'swollen lips', 'itching'],
      },
    },
    {
      id: 'side-effect',
      label: 'side effect of a medicine',
      description: 'an unwanted effect of a medicine that is no allergy',
      traits: ['nauseous', 'dizzy', 'drowsy'],
      asides: ['while queasy', 'with a numb mouth', 'despite the leaflet'],
      clauses: [
        'the medicine caused <effect> as a side effect',
        '<effect> is a <rank> side effect of the pills',
        '<who> stopped the pills because of <effect>',
      ],
      slots: { effect: ['nausea', 'dry mouth', 'dizziness', 'poor sleep'], rank: ['common', 'rare', 'known'] },
    },
  ],
};
