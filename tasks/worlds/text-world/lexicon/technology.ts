/** @file Concepts of the domain technology. */
import type { DomainSpec } from './lexicon.ts';

/** Batteries, malware, electricity, cranes, plumbing. */
export const technology: DomainSpec = {
  domain: 'technology',
  clinical: false,
  concepts: [
    {
      id: 'battery',
      label: 'batteries',
      description: 'battery cells, charge and discharge',
      traits: ['rechargeable', 'charged', 'lithium'],
      asides: ['while plugged in', 'on low power', 'beside the charger'],
      clauses: [
        'the battery cell holds its charge for [2-9] hours',
        'a fast discharge damages the <kind> battery',
        'the <kind> cell must be charged before use',
        'the discharge of the battery took [2-9] hours',
      ],
      slots: { kind: ['lithium', 'phone', 'car'] },
    },
    {
      id: 'computer-virus',
      label: 'computer virus',
      description: 'malware on computers',
      traits: ['hacked', 'corrupted', 'malicious'],
      asides: ['behind the firewall', 'after the hack', 'with a stolen password'],
      clauses: [
        'a<adj> virus <harm> on the computer',
        'the<adj> computer virus came with an infected <carrier>',
        'the software removed the virus from the laptop',
        'malware on the server <harm>',
      ],
      slots: { harm: ['deleted files', 'stole passwords', 'locked the disk'], carrier: ['file', 'link', 'download'] },
    },
    {
      id: 'electricity',
      label: 'electric current',
      description: 'electric current, voltage, wires',
      traits: ['wired', 'sparking', 'galvanic'],
      asides: ['with sparks', 'at high voltage', 'under live wires'],
      clauses: [
        'the current in the wire was [1-9] amps',
        'the voltage <moved> to [1-9]0 volts',
        'an electric current flows through the<adj> <part>',
      ],
      slots: { moved: ['rose', 'fell'], part: ['copper wire', 'coil', 'lamp'] },
    },
    {
      id: 'building-crane',
      label: 'building crane',
      description: 'the crane as a machine on a building site',
      traits: ['towering', 'hoisted', 'scaffolded'],
      asides: ['above the scaffold', 'by steel cable', 'on the building site'],
      clauses: [
        'the<adj> tower crane lifted the <load>',
        'a<adj> crane lowered the <load> onto the roof',
        'the crane driver moved [2-9] tons of <load>',
      ],
      slots: { load: ['beams', 'concrete', 'bricks'] },
    },
    {
      id: 'plumbing',
      label: 'plumbing',
      description: 'pipes, valves, water pressure, leaks',
      traits: ['dripping', 'rusty', 'flooded'],
      asides: ['under the sink', 'with a wrench', 'despite the leak'],
      clauses: [
        'the<adj> plumber replaced the <part> valve',
        'the water pressure in the pipe was <level>',
        'the <part> valve was leaking onto the floor',
        'a blocked pipe was cleared by the plumber',
      ],
      slots: { part: ['brass', 'boiler', 'shower'], level: ['low', 'high', 'too high'] },
    },
  ],
};
