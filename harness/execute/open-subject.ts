/** @file Opens a subject: the family plug-in loads the folder into the backend. */
import type { Site, Subject, SubjectOutline } from '../contract/subject.ts';
import { unknownName } from '../errors.ts';
import type { Registry } from '../registry.ts';
import { familyOf, subjectByName, subjectFolder } from '../suite/subjects.ts';

/** Loads a subject that a person names. The caller disposes of it. */
export async function openSubject(name: string, registry: Registry): Promise<Subject> {
  const subject = await subjectByName(name);
  const folder = await subjectFolder(subject, '');
  return (await familyOf(folder, registry)).load(folder, { id: subject.id ?? name });
}

/** What a subject that a person names has, loaded only where its family cannot tell otherwise. */
export async function subjectOutline(name: string, registry: Registry): Promise<SubjectOutline & { id: string }> {
  const reference = await subjectByName(name);
  const folder = await subjectFolder(reference, '');
  const id = reference.id ?? name;
  const family = await familyOf(folder, registry);
  if (family.outline) return { ...(await family.outline(folder)), id };
  const { initBackend } = await import('../num/backend.ts');
  await initBackend('cpu');
  const subject = await family.load(folder, { id });
  subject.dispose();
  return { sites: subject.sites, parameters: subject.parameters, id };
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
