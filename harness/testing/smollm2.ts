/** @file Where SmolLM2-135M lies on this machine, for tests and measurements that skip where it does not. */
import { cachedSubject, knownSubjects } from '../suite/known-subjects.ts';

/** `SAXBENCH_SMOLLM2` (a folder or the .gguf file), else where `saxbench fetch smollm2-135m` puts it; undefined where absent. */
export async function smollm2Place(): Promise<string | undefined> {
  const named = process.env['SAXBENCH_SMOLLM2'];
  if (named) return named;
  const subject = (await knownSubjects()).find(({ id }) => id === 'smollm2-135m')!;
  return cachedSubject(subject);
}
