/** @file All data of the text world in one place. */
import { arts } from './arts.ts';
import { cardiology } from './cardiology.ts';
import { finance } from './finance.ts';
import { food } from './food.ts';
import { formats } from './formats.ts';
import { hospital } from './hospital.ts';
import { imaging } from './imaging.ts';
import { infection } from './infection.ts';
import { laboratory } from './laboratory.ts';
import type { DomainSpec, TopicSpec } from './lexicon.ts';
import { nature } from './nature.ts';
import { pharmacy } from './pharmacy.ts';
import { society } from './society.ts';
import { emotion, sport } from './sport.ts';
import { technology } from './technology.ts';
import { homeTopics } from './topics-home.ts';
import { worldTopics } from './topics-world.ts';
import { vitalSigns } from './vital-signs.ts';

/** The domains, clinical ones first. The order is part of the world: concept indices follow it. */
export const domains: readonly DomainSpec[] = [
  vitalSigns,
  pharmacy,
  cardiology,
  infection,
  imaging,
  laboratory,
  hospital,
  finance,
  nature,
  technology,
  arts,
  society,
  food,
  sport,
  emotion,
  formats,
];

/** The topics of documents. */
export const topics: readonly TopicSpec[] = [...homeTopics, ...worldTopics];
