/** @file Opens a subject: the family plug-in loads the folder into the backend. */
import type { Site, Subject } from '../contract/subject.ts';
import { unknownName } from '../errors.ts';
import type { Registry } from '../registry.ts';
import { familyOf, subjectByName, subjectFolder } from '../suite/subjects.ts';

/** Loads a subject that a person names. The caller disposes of it. */
export async function openSubject(name: string, registry: Registry): Promise<Subject> {
  const subject = await subjectByName(name);
  const folder = await subjectFolder(subject, '');
  return (await familyOf(folder, registry)).load(folder, { id: subject.id ?? name });
}

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
