/** @file Steering a CLIP's images towards a concept, scored by its zero-shot answers (clip_ms.md §4.2). */
import type {
  ActivationSet,
  Clip,
  Item,
  PrepareContext,
  Prepared,
  TaskContext,
  TaskOutcome,
  ZeroShotTask,
} from '../../harness/contract.ts';
import { joined } from '../../harness/kit/index.ts';
import { classEmbeddings, logits, unitRows } from '../judges/parts/zero-shot.ts';
import { clipCurves, clipDetails, clipMeasured, type SteeredConcept } from './clip-cells.ts';
import { cleanEmbeddings, steeredEmbeddings } from './clip-embeddings.ts';
import { nearestOf, type Picture, thumbnailsOf } from './clip-pictures.ts';
import { clipScores, clipScoresWithInfluences, largest, type Steered } from './clip-scores.ts';
import { LABELS, labelQuestion, type Target, targetOf } from './clip-targets.ts';
import { chooseConcepts, halves } from './concept-choice.ts';
import { bestPlace, searchFactors } from './factor-search.ts';
import type { Kind } from './interventions.ts';
import type { SteeringOptions } from './options.ts';
import type { SteeringVector } from './steering-vectors.ts';

/** What all methods share; the embeddings are arrays beside it. */
export interface ClipShared {
  concepts: number[];
  targets: Target[];
  /** For each concept, the images to be steered: places among the test items. */
  images: number[][];
}

type Context = TaskContext<SteeringOptions>;

/** Test items looked through for images of other classes, in multiples of the images wanted. */
const POOL = 8;

const arrayName = (question: string | null): string => (question === null ? LABELS : `question_${question}`);

/** Embeds the images and the classes, and chooses for each concept its target and images of other classes. */
export async function prepareClip(
  context: PrepareContext<SteeringOptions>,
  clip: Clip,
): Promise<{ shared: ClipShared; arrays: Prepared['arrays'] }> {
  const { options, dataset, labelled, testItems, signal, progress } = context;
  const all = labelled!.set.concepts;
  const questions = dataset.zeroShot ?? [];
  const items = testItems.slice(0, POOL * options.images).filter(({ image }) => image);
  const note = (done: number, total: number) => progress(done, total, 'clean images');
  const embeds = await cleanEmbeddings(clip, items, { signal, progress: note });
  const dim = clip.projectionDim;
  const matrix = (data: Float32Array) => ({ shape: [data.length / dim, dim], data });
  const arrays: Prepared['arrays'] = { images: matrix(embeds) };
  arrays[LABELS] = matrix(await classEmbeddings(clip, labelQuestion(all)));
  for (const { id, classes } of questions) arrays[arrayName(id)] = matrix(await classEmbeddings(clip, classes));
  const concepts = chooseConcepts(all, options.concepts);
  const targets = concepts.map((place) => targetOf(all, place, questions));
  const unit = unitRows(embeds, dim);
  const images: number[][] = [];
  for (const target of targets) {
    const classes = arrays[arrayName(target.question)]!.data as Float32Array;
    const answers = await logits(clip, unit, classes, dim);
    const width = classes.length / dim;
    const question = questions.find(({ id }) => id === target.question);
    const other = (item: Item, i: number): boolean => {
      const actual = question?.classOf(item);
      if (question && (actual === undefined || actual === target.answer)) return false;
      return largest(answers.subarray(i * width, (i + 1) * width)) !== target.answer;
    };
    images.push(items.flatMap((item, i) => (other(item, i) ? [i] : [])).slice(0, options.images));
  }
  return { shared: { concepts, targets, images }, arrays };
}

/** One row for each way of steering: all concepts that have a vector and at least two images. */
export async function steerClip(
  context: Context,
  clip: Clip,
  shared: ClipShared,
  vectors: readonly (SteeringVector | undefined)[],
  kinds: readonly (Kind | 'none')[],
  selectedBy: string,
): Promise<TaskOutcome> {
  const ways: { kind: Kind | 'none'; own: SteeredConcept[] }[] = [];
  for (const kind of kinds) ways.push({ kind, own: await steerConcepts(context, clip, shared, vectors, kind) });
  const { factors } = context.options;
  const pool = context.testItems.filter(({ image }) => image);
  const told = ways.map(
    ({ kind, own }) => [`${selectedBy}/${kind}`, own.map((each) => clipDetails(each, pool))] as const,
  );
  const shown = told.flatMap(([, own]) => own.flatMap(({ pictures = [] }) => pictures));
  const ids = new Set(shown.flatMap(({ item, steered }) => [item, ...steered.map((each) => each.item)]));
  const images = context.dataset.privateItems ? {} : await thumbnailsOf(ids, pool);
  return {
    rows: ways.map(({ kind, own }) => ({ axes: { selection: selectedBy, intervention: kind }, ...clipMeasured(own) })),
    details: { ...Object.fromEntries(told), ...(Object.keys(images).length > 0 ? { images } : {}) },
    curves: Object.assign({}, ...ways.map(({ kind, own }) => (kind === 'none' ? {} : clipCurves(own, factors, kind)))),
  };
}

/** The concepts that have a vector and at least two images, steered in one way. */
async function steerConcepts(
  context: Context,
  clip: Clip,
  shared: ClipShared,
  vectors: readonly (SteeringVector | undefined)[],
  kind: Kind | 'none',
): Promise<SteeredConcept[]> {
  const { options, labelled, progress } = context;
  const factors = kind === 'none' ? [0] : options.factors;
  const steps = kind === 'none' ? 0 : options.extend;
  const all: SteeredConcept[] = [];
  for (const [c, place] of shared.concepts.entries()) {
    const vector = vectors[c];
    const places = shared.images[c]!;
    if (!vector || places.length < 2) continue;
    const target = shared.targets[c]!;
    const part = (list: number[]) => list.map((i) => places[i]!);
    const { selection, reporting } = halves(places.length);
    const rateTrials = async (wanted: { factor: number }[]) => {
      const strengths = wanted.map(({ factor }) => factor);
      const measured = await measure(context, clip, target, part(selection), vector, kind, strengths);
      return measured.map((steered) => ({
        ...clipScores(steered, [...selection.keys()]),
        pictures: steered.pictures,
      }));
    };
    const [trials] = await searchFactors(1, factors, steps, rateTrials, ({ overall }) => overall);
    const { factor } = trials![bestPlace(trials!.map(({ score }) => score))]!;
    const [final] = await measure(context, clip, target, part(reporting), vector, kind, [factor]);
    const scored = clipScoresWithInfluences(final!, [...reporting.keys()]);
    const concept = labelled!.set.concepts[place]!;
    all.push({
      concept,
      target,
      labels: answersOf(context, target),
      vector,
      trials: trials!,
      factor,
      images: part(reporting),
      ...scored,
    });
    progress(c + 1, shared.concepts.length, `${kind}: concepts`);
  }
  return all;
}

/** The answers to a target's question, in words. */
function answersOf({ dataset, labelled }: Context, { question }: Target): string[] {
  const found = (dataset.zeroShot ?? []).find(({ id }) => id === question);
  return (found ? found.classes : labelQuestion(labelled!.set.concepts)).map(({ label }) => label);
}

/** Answers before and after steering, and pictures of the first images, by factor. */
async function measure(
  context: Context,
  clip: Clip,
  target: Target,
  places: readonly number[],
  { vector, scale, latent }: SteeringVector,
  kind: Kind | 'none',
  factors: readonly number[],
): Promise<(Steered & { pictures: Picture[] })[]> {
  const { dataset, prepared, testItems, method, site, signal } = context;
  const dim = clip.projectionDim;
  const pool = prepared.arrays['images']!.data as Float32Array;
  const withImages = testItems.flatMap(({ image }, i) => (image ? [i] : []));
  const chosen = places.map((place) => withImages[place]!);
  const items = chosen.map((i) => testItems[i]!);
  const before = unitRows(rowsAt(pool, places, dim), dim);
  const steer = async (way: Kind) => {
    const activations = await activationsOf(context.test, chosen);
    const strengths = factors.map((factor) => factor * scale);
    const images = { items, activations };
    return unitRows(
      await steeredEmbeddings(clip, site, images, { vector, latent }, strengths, way, method, signal),
      dim,
    );
  };
  const after = kind === 'none' ? before : await steer(kind);
  const answers = async (question: string | null) => {
    const classes = prepared.arrays[arrayName(question)]!.data as Float32Array;
    const width = classes.length / dim;
    const was = await logits(clip, before, classes, dim);
    const is = await logits(clip, after, classes, dim);
    return factors.map((_, f) => {
      const from = f * places.length * width;
      return { classes: width, before: was, after: is.subarray(from, from + places.length * width) };
    });
  };
  const asked = await answers(target.question);
  const questions = (dataset.zeroShot ?? []).filter(({ id }) => target.unrelated.includes(id));
  const unrelated = await Promise.all(questions.map(({ id }) => answers(id)));
  const applies =
    ({ classOf }: ZeroShotTask) =>
    (image: number) =>
      classOf(items[image]!) !== undefined;
  const unitPool = unitRows(pool, dim);
  const answerTo = (rows: Float32Array, width: number, i: number) => largest(rows.subarray(i * width, (i + 1) * width));
  const pictured = places.slice(0, context.options.pictures);
  return factors.map((_, f) => ({
    pictures: pictured.map((image, i): Picture => {
      const { classes, before: was, after: is } = asked[f]!;
      const at = (f * places.length + i) * dim;
      const nearest = nearestOf(after.subarray(at, at + dim), unitPool, image);
      return { image, nearest, before: answerTo(was, classes, i), after: answerTo(is, classes, i) };
    }),
    target: { ...asked[f]!, answer: target.answer },
    unrelated: questions.map((question, q) => ({ ...unrelated[q]![f]!, applies: applies(question) })),
    cosines: cosines(before, after.subarray(f * before.length, (f + 1) * before.length), dim),
  }));
}

function rowsAt(matrix: Float32Array, places: readonly number[], width: number): Float32Array {
  const rows = new Float32Array(places.length * width);
  places.forEach((place, i) => {
    rows.set(matrix.subarray(place * width, (place + 1) * width), i * width);
  });
  return rows;
}

/** All rows of the items, kept or not: images have equally many. */
async function activationsOf({ bounds, read }: ActivationSet, items: readonly number[]): Promise<Float32Array> {
  return joined(Float32Array, await Promise.all(items.map((item) => read(bounds[item]!, bounds[item + 1]!))));
}

/** Cosine of each pair of unit rows. */
function cosines(a: Float32Array, b: Float32Array, dim: number): Float64Array {
  return Float64Array.from({ length: a.length / dim }, (_, row) => {
    let sum = 0;
    for (let j = row * dim; j < (row + 1) * dim; j++) sum += a[j]! * b[j]!;
    return sum;
  });
}
