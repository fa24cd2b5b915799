/** @file The site that a person means, of those that a subject has. */
import type { Site } from '../contract.ts';
import { unknownName } from '../errors.ts';

/** The site of that name. @throws UserError with the closest known names when the subject has none. */
export function siteOf(subject: { id: string; sites: Site[] }, name: string): Site {
  const site = subject.sites.find((candidate) => candidate.name === name);
  if (site) return site;
  throw unknownName(
    `site of ${subject.id}`,
    name,
    subject.sites.map((candidate) => candidate.name),
  );
}
