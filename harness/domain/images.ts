/** @file Images of a domain: files within its folder, never outside of it. */
import { realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { UserError } from '../errors.ts';
import { sha256File } from '../io/hash.ts';

const IMAGE = /\.(png|jpe?g|webp|tiff?|gif)$/i;

export interface DomainImage {
  name: string;
  path: string;
  hash: string;
}

/**
 * An image that a table names.
 *
 * @param root The folder, its links followed.
 * @throws UserError for a path that leads out of the folder, by a link too, and for what is no file of an image.
 */
export async function domainImage(root: string, name: string, where: string): Promise<DomainImage> {
  const refuse = (found: string) =>
    new UserError(`${where}: image: expected the path of an image within ${root}, as images/1.png; found ${found}.`);
  if (isAbsolute(name) || /^[A-Za-z]:|^[a-z]+:\/\//.test(name)) throw refuse(`'${name}', which is no relative path`);
  const path = await realpath(join(root, name)).catch(() => undefined);
  if (path === undefined) throw refuse(`'${name}', where no file is`);
  const inside = relative(root, path);
  if (inside === '' || inside.startsWith(`..${sep}`) || inside === '..' || isAbsolute(inside)) {
    throw refuse(`'${name}', which lies outside`);
  }
  if (!IMAGE.test(path)) throw refuse(`'${name}', which is no PNG, JPEG, WebP, TIFF or GIF`);
  return { name, path, hash: await sha256File(path) };
}
