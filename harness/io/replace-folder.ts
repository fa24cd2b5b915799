/** @file Puts a whole folder in the place of another one. */
import { rename, rm } from 'node:fs/promises';

/** Renames `fresh` to `place`, where something else may lie: at no time does a part of either stand there. */
export async function replaceFolder(fresh: string, place: string): Promise<void> {
  const old = `${fresh}.old`;
  // Moved, not removed, before the new one is there.
  const moved = await rename(place, old).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
  try {
    await rename(fresh, place);
  } catch (error) {
    if (moved) await rename(old, place);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}
