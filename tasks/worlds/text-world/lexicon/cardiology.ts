/** @file Concepts of the domain cardiology. */
import type { DomainSpec } from './lexicon.ts';

/** Arrhythmia, heart attack, heart valve disease. */
export const cardiology: DomainSpec = {
  domain: 'cardiology',
  clinical: true,
  concepts: [
    {
      id: 'arrhythmia',
      label: 'cardiac arrhythmia',
      description: 'an abnormal rhythm of the heart',
      traits: ['fluttering', 'jittery', 'palpitating'],
      asides: ['between extra beats', 'with a pacemaker', 'skipping a beat'],
      clauses: [
        'the ECG showed <kind>',
        'the heart rhythm was <manner>',
        '<kind> came back <when>',
        'a shock put the rhythm back to sinus',
      ],
      slots: {
        kind: ['atrial fibrillation', 'atrial flutter', 'ventricular tachycardia', 'heart block'],
        manner: ['irregular', 'irregular and fast', 'back to sinus'],
      },
    },
    {
      id: 'heart-attack',
      label: 'heart attack',
      description: 'myocardial infarction and its treatment',
      traits: ['clogged', 'coronary', 'crushing'],
      asides: ['clutching the chest', 'after the infarction', 'with a fresh stent'],
      clauses: [
        'a <size> heart attack was treated with <therapy>',
        'the troponin <moved> after crushing chest pain',
        'a blocked coronary vessel was opened with <therapy>',
        'a clot closed the <which> coronary vessel',
      ],
      slots: {
        size: ['small', 'large', 'second'],
        therapy: ['a stent', 'a balloon', 'a bypass'],
        moved: ['rose', 'stayed high'],
        which: ['left', 'right'],
      },
    },
    {
      id: 'heart-valve',
      label: 'heart valve disease',
      description: 'a leaking or narrow heart valve, or its murmur',
      traits: ['murmuring', 'leaky', 'stenotic'],
      asides: ['with a faint murmur', 'through the aorta', 'with a calcified ring'],
      clauses: [
        'the <name> valve was <fault>',
        'a <loud> murmur came from the <name> valve',
        'an echo showed a <fault> <name> valve',
      ],
      slots: { name: ['mitral', 'aortic'], fault: ['narrow', 'leaking', 'stiff'], loud: ['soft', 'loud', 'harsh'] },
    },
  ],
};
