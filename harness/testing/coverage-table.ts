/** @file `npm run coverage`: writes harness/num/stats/coverage.md. */
import { writeFileSync } from 'node:fs';
import { coverageText } from './interval-coverage.ts';

writeFileSync(new URL('../num/stats/coverage.md', import.meta.url), coverageText());
