/** @file The site that a person means, of those that a subject has, or several of them taken together. */
import type { Site } from '../contract.ts';
import { UserError, unknownName } from '../errors.ts';

/** Between the names of sites that are taken together. */
const JOINT = '+';

type Subject = { id: string; sites: Site[] };

/**
 * The site of that name, or the joint site `a+b` of sites of one width.
 *
 * @throws UserError with the closest known names when the subject has none; for sites that cannot be taken together.
 */
export function siteOf(subject: Subject, name: string): Site {
  const site = subject.sites.find((candidate) => candidate.name === name);
  if (site) return site;
  if (name.includes(JOINT)) return jointSite(subject, name);
  throw unknownName(
    `site of ${subject.id}`,
    name,
    subject.sites.map((candidate) => candidate.name),
  );
}

function jointSite(subject: Subject, name: string): Site {
  const parts = name.split(JOINT).map((part) => siteOf(subject, part));
  const [first, ...others] = parts as [Site, ...Site[]];
  const unlike = others.find(
    ({ d, kind, modality }) => d !== first.d || kind !== first.kind || modality !== first.modality,
  );
  const rows = ({ name, d, kind, modality }: Site) => `${name} (${modality}, ${kind}, d_in ${d})`;
  if (unlike) {
    throw new UserError(
      `site ${name} of ${subject.id}: expected sites of the same positions and width; found ${rows(first)} and ${rows(unlike)}.`,
    );
  }
  const names = parts.map((part) => part.name);
  const twice = names.find((part, i) => names.indexOf(part) !== i);
  if (twice !== undefined) {
    throw new UserError(`site ${name} of ${subject.id}: expected each site once; found ${twice} twice.`);
  }
  const { d, kind, modality } = first;
  return { name, d: d * parts.length, modality, kind, input: [parts.length, d], parts: names };
}
