/** @file Concepts of the domain hospital. */
import type { DomainSpec } from './lexicon.ts';

/** Discharge from hospital, surgery, clinical trials. */
export const hospital: DomainSpec = {
  domain: 'hospital',
  clinical: true,
  concepts: [
    {
      id: 'hospital-discharge',
      label: 'discharge from hospital',
      description: 'a patient leaves the hospital',
      traits: ['recovered', 'convalescent', 'homebound'],
      asides: ['after leaving the ward', 'with packed slippers', 'free to go home'],
      clauses: [
        'the discharge home was planned for <day>',
        'the patient was discharged home on <day>',
        'the discharge letter went to the <reader>',
        'the ward prepared the discharge of <count> patients',
      ],
      slots: {
        day: ['Friday', 'Tuesday', 'Sunday'],
        reader: ['family doctor', 'clinic'],
        count: ['two', 'three', 'four'],
      },
    },
    {
      id: 'surgery',
      label: 'surgery',
      description: 'an operation in the operating theatre',
      traits: ['stitched', 'sutured', 'bloodstained'],
      asides: ['under the scalpel', 'with fresh stitches', 'in rubber gloves'],
      clauses: [
        'the surgeon removed the <organ>',
        'the operation on the <organ> lasted [2-6] hours',
        'the patient went to theatre for <organ> surgery',
        'the anaesthetic wore off after the operation',
      ],
      slots: { organ: ['appendix', 'gallbladder', 'spleen', 'thyroid'] },
    },
    {
      id: 'clinical-trial',
      label: 'clinical trial',
      description: 'a study that compares treatments in patients',
      traits: ['randomised', 'blinded', 'preliminary'],
      asides: ['against a placebo', 'in both study arms', 'by informed consent'],
      clauses: [
        'the trial of the new drug enrolled [2-9]00 patients',
        'a randomised trial compared the drug with <arm>',
        'the patients in the trial received <arm>',
        'the placebo arm of the trial did <outcome>',
      ],
      slots: { arm: ['placebo', 'usual care'], outcome: ['worse', 'better', 'just as well'] },
    },
  ],
};
