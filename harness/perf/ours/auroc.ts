/** @file AUROC of every latent for every concept, from the non-zeros: seconds. Usage: auroc.ts ITEMS F L0 CONCEPTS */
import { latentAuroc } from '../../num/metrics/latent-auroc.ts';
import { createRng } from '../../num/rng.ts';
import { numbers, report, seconds } from './measure.ts';
import { randomCodes } from './random-codes.ts';

const [items, f, l0, concepts] = numbers(0) as [number, number, number, number];
const codes = randomCodes(items, f, l0);
const rng = createRng(1);
const labels = Array.from({ length: concepts }, () => Int8Array.from({ length: items }, () => rng.int(2)));
report(await seconds(() => latentAuroc(codes, labels), 1, 0), 's', 'JavaScript, one thread');
