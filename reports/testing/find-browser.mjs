/** @file The Chromium of this machine, or undefined: tests in a browser say so and pass where there is none. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

export async function findBrowser() {
  const executablePath = process.env.PATH.split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
  const playwright = await import('playwright-core').catch(() => undefined);
  if (executablePath && playwright) return playwright.chromium.launch({ executablePath, args: ['--no-sandbox'] });
  console.log(`skipped: no ${playwright ? `browser (${NAMES.join(', ')})` : 'playwright-core'} here`);
  return undefined;
}
