/** @file `npm run leaderboard`: LEADERBOARD.md from the reference results that are there, after a change of the reports alone. */
import { rerenderReference } from '../reference.ts';

await rerenderReference();
