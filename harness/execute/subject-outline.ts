/** @file What a subject has, by its name: known before it is loaded, where its family can tell. */
import type { SubjectOutline } from '../contract/subject.ts';
import type { Registry } from '../registry.ts';
import { familyOf, subjectByName, subjectFolder } from '../suite/subjects.ts';

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
