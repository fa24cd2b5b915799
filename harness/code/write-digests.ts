/** @file The last step of the build: digests of the compiled code, for the keys of steps. */
import { writeDigests } from './built-in.ts';

await writeDigests();
