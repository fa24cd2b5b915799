/** @file Where saxbench keeps what it fetches itself. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from './hub-cache.ts';

/** `SAXBENCH_CACHE`, `$XDG_CACHE_HOME/saxbench`, `~/.cache/saxbench`. */
export function ownCache(env: Environment): string {
  return env['SAXBENCH_CACHE'] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'saxbench');
}
