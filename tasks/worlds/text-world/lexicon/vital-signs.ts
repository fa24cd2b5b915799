/** @file Concepts of the domain vital signs. */
import type { DomainSpec } from './lexicon.ts';

/** Blood pressure, heart rate, body temperature, oxygen saturation. */
export const vitalSigns: DomainSpec = {
  domain: 'vital-signs',
  clinical: true,
  concepts: [
    {
      id: 'blood-pressure',
      label: 'blood pressure',
      description: 'a reading or judgement of arterial blood pressure',
      traits: ['hypertensive', 'throbbing', 'tense'],
      asides: ['under a tight cuff', 'with hardened arteries', 'while the cuff inflates'],
      clauses: [
        'the blood pressure was 1[1-6][0-9]/[6-9][0-9] mmHg',
        'the <side> arm pressure was <level> at 1[1-6][0-9] over [6-9][0-9]',
        '<who> found <level> blood pressure <when>',
        'the<adj> systolic pressure <moved> to 1[1-6][0-9]',
      ],
      slots: {
        side: ['left', 'right'],
        level: ['high', 'low', 'normal', 'raised'],
        moved: ['rose', 'fell', 'came down', 'went up'],
      },
    },
    {
      id: 'heart-rate',
      label: 'heart rate',
      description: 'how fast the heart beats, or the pulse felt at an artery',
      traits: ['thumping', 'racing', 'pounding'],
      asides: ['at a gallop', 'to every heartbeat', 'with a quick heartbeat'],
      clauses: [
        'the heart rate was [6-9][0-9] beats per minute',
        'the pulse was <quality> at [6-9][0-9]',
        '<who> felt a <quality> pulse at the <where>',
        'the resting heart rate <moved> by [2-9] beats',
      ],
      slots: {
        quality: ['regular', 'weak', 'fast', 'slow', 'steady'],
        where: ['wrist', 'neck', 'ankle', 'groin'],
        moved: ['rose', 'fell'],
      },
    },
    {
      id: 'body-temperature',
      label: 'body temperature',
      description: 'body temperature or fever',
      traits: ['feverish', 'sweaty', 'flushed'],
      asides: ['with chills', 'by the thermometer', 'in a hot sweat'],
      clauses: [
        'the body temperature was 3[6-9].[0-9] degrees',
        '<who> measured a fever of 3[8-9].[0-9] <when>',
        'a <kind> fever <course>',
        'the temperature under the <site> read 3[6-9].[0-9]',
      ],
      slots: {
        kind: ['mild', 'high', 'low grade'],
        course: ['came back at night', 'settled with rest', 'lasted [2-7] days'],
        site: ['tongue', 'arm', 'armpit'],
      },
    },
    {
      id: 'oxygen-saturation',
      label: 'oxygen saturation',
      description: 'oxygen saturation of the blood',
      traits: ['breathless', 'wheezing', 'gasping'],
      asides: ['with shallow breaths', 'on the ventilator', 'out of breath'],
      clauses: [
        'the oxygen saturation was 9[0-9] percent on <gas>',
        'the saturation <moved> to 8[0-9] percent <when>',
        '<who> gave oxygen by <device> at [2-9] litres',
      ],
      slots: {
        gas: ['air', 'oxygen'],
        moved: ['fell', 'dropped', 'rose'],
        device: ['mask', 'nasal tube', 'face tent'],
      },
    },
  ],
};
