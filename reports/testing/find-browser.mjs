/** @file The Chromium of this machine, or undefined: tests in a browser say so and pass where there is none. */
import { findChromium } from '../../dist/reports/figures/chromium.js';

export async function findBrowser() {
  const executablePath = findChromium();
  const playwright = await import('playwright-core').catch(() => undefined);
  if (executablePath && playwright) return playwright.chromium.launch({ executablePath, args: ['--no-sandbox'] });
  console.log(`skipped: no ${playwright ? 'Chromium' : 'playwright-core'} here`);
  return undefined;
}
