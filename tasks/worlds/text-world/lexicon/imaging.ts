/** @file Concepts of the domain imaging. */
import type { DomainSpec } from './lexicon.ts';

/** Chest radiographs, brain MRI, broken bones. */
export const imaging: DomainSpec = {
  domain: 'imaging',
  clinical: true,
  concepts: [
    {
      id: 'chest-x-ray',
      label: 'chest radiograph',
      description: 'findings on a chest x-ray',
      traits: ['translucent', 'shadowy', 'radiographic'],
      asides: ['on the radiograph', 'behind the ribs', 'in the lead apron'],
      clauses: [
        'the chest x-ray showed <finding>',
        'the chest film showed <finding> <when>',
        '<finding> was seen in the <side> lung',
        'the chest x-ray was clear',
      ],
      slots: { finding: ['a nodule', 'a shadow', 'pneumonia', 'an effusion'], side: ['left', 'right'] },
    },
    {
      id: 'brain-mri',
      label: 'brain MRI',
      description: 'magnetic resonance imaging of the head',
      traits: ['magnetic', 'cerebral', 'scanned'],
      asides: ['inside the scanner', 'slice by slice', 'near the cortex'],
      clauses: [
        'the brain MRI showed <finding>',
        'an MRI of the head with contrast was <result>',
        '<finding> in the <lobe> lobe took up contrast',
      ],
      slots: {
        finding: ['a lesion', 'a stroke', 'a small bleed'],
        result: ['normal', 'booked', 'repeated'],
        lobe: ['frontal', 'temporal'],
      },
    },
    {
      id: 'fracture',
      label: 'bone fracture',
      description: 'a broken bone and its plaster cast',
      traits: ['cracked', 'splinted', 'bony'],
      asides: ['on crutches', 'with a snapped bone', 'in a sling'],
      clauses: [
        'the <bone> was broken in [2-4] places',
        'the broken <bone> was put in a plaster cast',
        'the cast came off after [3-8] weeks',
        'a fracture of the <bone> needed <repair>',
      ],
      slots: { bone: ['wrist', 'hip', 'ankle', 'elbow'], repair: ['a plate', 'screws', 'a plaster cast'] },
    },
  ],
};
