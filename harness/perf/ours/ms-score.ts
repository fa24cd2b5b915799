/** @file The exact MS score of every latent, from codes and embeddings in memory: seconds. Usage: ms-score.ts N F L0 D */
import { msScores } from '../../num/metrics/monosemanticity.ts';
import { createRng } from '../../num/rng.ts';
import { numbers, report, seconds, startBackend } from './measure.ts';
import { randomCodes } from './random-codes.ts';

const [n, f, l0, d] = numbers(0) as [number, number, number, number];
const backend = await startBackend();
const codes = randomCodes(n, f, l0);
const embeddings = createRng(1).fillNormal(new Float32Array(n * d));
report(await seconds(() => msScores(codes, embeddings), 3, 1), 's', backend);
