/** @file Concepts of the domain laboratory. */
import type { DomainSpec } from './lexicon.ts';

/** Blood counts, blood glucose, biopsies. */
export const laboratory: DomainSpec = {
  domain: 'laboratory',
  clinical: true,
  concepts: [
    {
      id: 'blood-count',
      label: 'blood count',
      description: 'counts of blood cells, haemoglobin, anaemia',
      traits: ['pale', 'crimson', 'bloodless'],
      asides: ['drop by drop', 'with few platelets', 'in the test tube'],
      clauses: [
        'the white cell count was [4-9].[0-9]',
        'the red cell count <moved> <when>',
        'the haemoglobin <moved> to [7-9].[0-9]',
        'anaemia with a low red cell count was found',
      ],
      slots: { moved: ['fell', 'rose', 'dropped'] },
    },
    {
      id: 'blood-glucose',
      label: 'blood glucose',
      description: 'blood sugar, diabetes and insulin',
      traits: ['diabetic', 'sugary', 'glycaemic'],
      asides: ['between insulin shots', 'with a finger prick', 'craving sweets'],
      clauses: [
        'the blood sugar was [4-9].[0-9] before <meal>',
        'diabetes was treated with [4-9] units of insulin',
        'the fasting glucose was <level> at [4-9].[0-9]',
        'insulin brought the blood sugar down',
      ],
      slots: { meal: ['breakfast', 'lunch', 'dinner'], level: ['high', 'normal'] },
    },
    {
      id: 'biopsy',
      label: 'tumour biopsy',
      description: 'tissue under the microscope, benign or malignant growths',
      traits: ['cancerous', 'tumorous', 'cellular'],
      asides: ['under the microscope', 'with a needle sample', 'against the tumour'],
      clauses: [
        'the biopsy of the <organ> was <verdict>',
        'the growth in the <organ> was <verdict>',
        '<verdict> cells were seen in the <organ> tumour',
      ],
      slots: { organ: ['breast', 'liver', 'colon', 'skin'], verdict: ['benign', 'malignant', 'abnormal'] },
    },
  ],
};
