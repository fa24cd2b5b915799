/** @file Across modalities: does a latent that was found in images say the same of their captions? */
import {
  type ActivationSet,
  defineTask,
  type MetricDefinition,
  type MetricValue,
  type PooledLatents,
  type Prepared,
  type ResultRow,
  type TaskContext,
} from '../harness/contract.ts';
import {
  allUnavailable,
  bestLatents,
  createCandidates,
  createRng,
  emptyCell,
  meanInterval,
  measuredCell,
  plainCell,
  poolLatents,
  requireBothClasses,
  rowsAsSet,
  SCAN_ROWS,
  scanKept,
} from '../harness/kit/index.ts';
import {
  captionAurocs,
  firingAgreement,
  firingCorrelation,
  firingShare,
  type LatentColumns,
  latentColumns,
  type Pairing,
  scoredLatents,
} from './cross-modal/agreement.ts';
import { captionEmbeddings, captionOf, meanOfSet, meanRow, moved, squareAround } from './cross-modal/captions.ts';

interface Options {
  rate: number;
  support: number;
  trainCaptions: number;
}

/** How the clouds of training images and training captions lie, in units of the spread of images. */
interface Shared {
  gap: number;
  spread: number;
}

type Context = TaskContext<Options, Shared>;

const metric = (
  description: string,
  direction: MetricDefinition['direction'],
  range: [number | null, number | null] = [0, 1],
  unit = '',
): MetricDefinition => ({ description, direction, range, unit, version: 1 });

const METRICS: Record<string, MetricDefinition> = {
  firing_correlation: {
    ...metric(
      'Correlation φ of whether a latent fires on an item’s image with whether it fires on its caption, mean over latents: 0 where the two ' +
        'are independent, whatever the firing rates, 1 where they are the same. Latents that fire on `support` test images or more and ' +
        'are silent on as many; 0 of one that fires on all captions or on none. Interval over items.',
      'max',
      [-1, 1],
    ),
    main: true,
  },
  agreement_above_chance: metric(
    'Firing agreement with an item’s own caption less that with another item’s, mean over items. Latents that fire more often ' +
      'agree more: compare methods of one firing rate.',
    'max',
    [-1, 1],
  ),
  firing_agreement: metric(
    'Of the latents that fire on an item’s image or on its caption the share that fires on both (Jaccard; 0 where none fires), ' +
      'mean over items. The same latents.',
    'max',
  ),
  caption_auroc: metric(
    'AUROC with which a latent’s value on a caption tells whether it fires on the image, mean over the same latents; interval over ' +
      'latents. Sparse latents are silent on most captions, which are ties: compare sparse methods with sparse ones.',
    'max',
  ),
  image_rate: metric('Mean share of images on which those latents fire.', 'none'),
  caption_rate: metric('Mean share of captions on which they fire.', 'none'),
  concept_image: metric(
    'AUROC of the latent that tells a concept best on training images, on held-out images; mean over concepts.',
    'max',
  ),
  concept_caption: metric(
    'The same latent’s AUROC on the captions of the held-out images, which need not mention the concept.',
    'max',
  ),
  gap: metric(
    'Distance of the means of training images and training captions, as a share of the root mean square distance of images from theirs.',
    'none',
    [0, null],
  ),
  spread: metric(
    'Root mean square distance of training captions from their mean, as a share of that of images.',
    'none',
    [0, null],
  ),
  scored: metric('Latents that are averaged over.', 'none', [0, null], 'latents'),
};

/** What is done to captions, and what stands for a caption’s own image or latent. */
const ALIGNMENTS = ['spread', 'means', 'none'] as const;
const CONTROLS = ['none', 'shuffled', 'other-latent'] as const;

/**
 * Latents of `vision.embed` read on `text.embed`: the two lie in one space, in which training brought captions to their
 * images, but in two clouds apart (Liang et al. 2022, arXiv:2203.02053). Captions are therefore moved by the difference of
 * the training means and scaled to the spread of images (cosines, which the model was trained by, do not fix it), or moved
 * alone, or left as they are. A latent that fires says nothing of a caption unless it says more than with the captions of
 * other images (`shuffled`) and than other latents do (`other-latent`); random directions show what the space alone gives.
 * Methods are ranked by a correlation, which chance does not lift: the share of latents that fire on both grows with how often they fire.
 */
export default defineTask<Options, Shared>({
  id: 'cross-modal',
  title: 'Across modalities (CLIP)',
  paper: 'Liang et al. 2022, arXiv:2203.02053; Pach et al. 2025, arXiv:2504.02821',
  version: 2,
  options: {
    rate: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 0.5,
      default: 0.05,
      description: 'Share of images, and of captions, on which the units of dense methods are made to fire.',
    },
    support: {
      type: 'integer',
      minimum: 1,
      default: 10,
      description: 'Images on which a latent must fire, and be silent, to be scored.',
    },
    trainCaptions: {
      type: 'integer',
      minimum: 2,
      default: 1000,
      description: 'Training captions that the mean of captions is taken over.',
    },
  },
  metrics: METRICS,
  words: [],
  axes: {
    alignment:
      'spread: captions are moved by the difference of the training means and scaled to the spread of images; means: moved ' +
      'alone; none: as they are',
    control: 'none: own captions; shuffled: those of other images; other-latent: another latent is read on them',
  },
  shows: {
    columns: [
      'agreement_above_chance',
      'firing_agreement',
      'caption_auroc',
      'image_rate',
      'caption_rate',
      'concept_image',
      'concept_caption',
      'gap',
      'spread',
      'scored',
    ],
    ranked: { alignment: ['spread'], control: ['none'] },
    chance: 0,
    scatter: {
      x: 'concept_image',
      y: 'concept_caption',
      title: 'Concepts on captions against concepts on images',
      caption: 'The same latents, chosen on images. A caption need not mention what its image shows.',
    },
  },
  seeded: false,
  controls: ['random'],
  unavailable({ subject, site, dataset }) {
    if (subject?.type !== 'clip') return 'needs a CLIP that reads the captions of the images';
    if (site.name !== 'vision.embed') return 'needs the site vision.embed, whose space captions share';
    return dataset.modality === 'image' ? undefined : 'needs a dataset of images with captions';
  },
  async prepare(context): Promise<Prepared<Shared>> {
    const { subject, dataset, train, test, testItems, labelled, options, progress } = context;
    if (subject?.type !== 'clip') throw new Error('internal: cross-modal ran without a CLIP');
    const training = await dataset.corpus('train', Math.min(options.trainCaptions, train.bounds.length - 1));
    const concepts = labelled?.set.items ?? [];
    const all = [...training, ...testItems, ...concepts];
    if (all.some((item) => captionOf(item) === undefined)) return { json: { gap: 0, spread: 0 }, arrays: {} };
    const d = test.d_in;
    const rows = await captionEmbeddings(subject, all, (done) => progress(done, all.length, 'captions'));
    const [first, second] = [training.length * d, (training.length + testItems.length) * d];
    const [imageMean, captionMean] = [await meanOfSet(train), meanRow(rows.subarray(0, first), d)];
    const array = (data: Float32Array) => ({ shape: [data.length / d, d], data });
    return {
      json: await clouds(train, rows.subarray(0, first), imageMean, captionMean),
      arrays: {
        captions: array(rows.slice(first, second)),
        concepts: array(rows.slice(second)),
        means: array(Float32Array.from([...imageMean, ...captionMean])),
      },
    };
  },
  async run(context) {
    const { method, prepared, test } = context;
    if (!method.encode) return emptyOutcome(`'${method.id}' has no codes`);
    if (!prepared.arrays['captions']) return emptyOutcome('not every item has a caption');
    const images = latentColumns(await context.latents(test), context.options.rate);
    const latents = scoredLatents(images, context.options.support);
    const concepts = await conceptCells(context);
    const rows: ResultRow[] = [];
    for (const alignment of ALIGNMENTS) {
      const captions = latentColumns(await pooledCaptions(context, 'captions', alignment), context.options.rate);
      for (const control of CONTROLS) {
        const measured = cells(images, captions, latents, control);
        rows.push({
          axes: { alignment, control },
          metrics: {
            ...measured.metrics,
            ...(control === 'none' ? concepts[alignment] : noConcepts('measured for own captions')),
            gap: plainCell(prepared.json.gap, context.train.n),
            spread: plainCell(prepared.json.spread, context.train.n),
          },
          control: control !== 'none',
          ...(control === 'none' && measured.values.length > 0
            ? { samples: { unit: 'item', values: measured.values } }
            : {}),
        });
      }
    }
    return { rows };
  },
});

/** How far apart the clouds lie, and how wide that of captions is, in units of the spread of images. */
async function clouds(
  train: ActivationSet,
  captions: Float32Array,
  imageMean: Float64Array,
  captionMean: Float64Array,
): Promise<Shared> {
  const d = imageMean.length;
  const images = { square: 0, rows: 0 };
  for await (const { x, rows } of scanKept(train, SCAN_ROWS)) {
    images.square += squareAround(x, imageMean);
    images.rows += rows;
  }
  const width = Math.sqrt(images.square / Math.max(1, images.rows));
  const ofCaptions = Math.sqrt((squareAround(captions, captionMean) * d) / captions.length);
  return { gap: Math.sqrt(squareAround(captionMean, imageMean)) / width, spread: ofCaptions / width };
}

/** The method's latents of captions. */
async function pooledCaptions(
  { method, prepared, test, signal }: Context,
  name: 'captions' | 'concepts',
  alignment: (typeof ALIGNMENTS)[number],
): Promise<PooledLatents> {
  const rows = prepared.arrays[name]!.data as Float32Array;
  const means = Float64Array.from(prepared.arrays['means']!.data as Float32Array);
  const d = test.d_in;
  const scale = alignment === 'spread' && prepared.json.spread > 0 ? 1 / prepared.json.spread : 1;
  const x = alignment === 'none' ? rows : moved(rows, means.subarray(d), means.subarray(0, d), scale);
  return poolLatents(method, rowsAsSet(x, d), { signal });
}

/** Derangements that are the same for every method: item i has the caption of another, latent j is read as another. */
function pairing(control: (typeof CONTROLS)[number], { items }: LatentColumns, latents: readonly number[]): Pairing {
  const shifted = (length: number) => {
    const order = createRng(`cross-modal/${control}`).permutation(length);
    const next = new Uint32Array(length);
    for (let i = 0; i < length; i++) next[order[i]!] = order[(i + 1) % length]!;
    return next;
  };
  if (control === 'shuffled') return { image: shifted(items) };
  if (control === 'none' || latents.length === 0) return {};
  const others = new Uint32Array(Math.max(...latents) + 1);
  for (const [i, place] of shifted(latents.length).entries()) others[latents[i]!] = latents[place]!;
  return { latent: others };
}

function cells(
  images: LatentColumns,
  captions: LatentColumns,
  latents: readonly number[],
  control: (typeof CONTROLS)[number],
): { metrics: Record<string, MetricValue>; values: number[] } {
  const none = 'no latent fires on enough images and is silent on enough';
  if (latents.length === 0) {
    return { metrics: { ...emptyMetrics(none), scored: plainCell(0, images.values.length) }, values: [] };
  }
  if (control === 'other-latent' && latents.length === 1) {
    return {
      metrics: { ...emptyMetrics('one latent alone is scored'), scored: plainCell(1, images.values.length) },
      values: [],
    };
  }
  const pairs = pairing(control, images, latents);
  const agreement = firingAgreement(images, captions, latents, pairs);
  const chance = firingAgreement(images, captions, latents, pairing('shuffled', images, latents));
  const above = agreement.map((value, item) => value - chance[item]!);
  const values = firingCorrelation(images, captions, latents, pairs);
  const [range, signed] = [[0, 1] as const, [-1, 1] as const];
  return {
    values,
    metrics: {
      firing_correlation: measuredCell(meanInterval(values, signed), none),
      agreement_above_chance:
        control === 'shuffled'
          ? emptyCell('is itself what the others are held against')
          : measuredCell(meanInterval(above, signed), none),
      caption_auroc: measuredCell(meanInterval(captionAurocs(images, captions, latents, pairs), range), none),
      firing_agreement: measuredCell(meanInterval(agreement, range), none),
      image_rate: plainCell(firingShare(images, latents), images.items),
      caption_rate: plainCell(firingShare(captions, latents), captions.items),
      scored: plainCell(latents.length, images.values.length),
    },
  };
}

const emptyMetrics = (reason: string): Record<string, MetricValue> => {
  const names = [
    'firing_correlation',
    'agreement_above_chance',
    'caption_auroc',
    'firing_agreement',
    'image_rate',
    'caption_rate',
  ];
  return Object.fromEntries(names.map((name) => [name, emptyCell(reason)]));
};

const noConcepts = (reason: string): Record<string, MetricValue> => ({
  concept_image: emptyCell(reason),
  concept_caption: emptyCell(reason),
});

/** Latents chosen for concepts on training images, on held-out images and on their captions. */
async function conceptCells(
  context: Context,
): Promise<Record<(typeof ALIGNMENTS)[number], Record<string, MetricValue>>> {
  const { labelled, latents } = context;
  if (!labelled) {
    const none = noConcepts('the dataset has no labelled concepts');
    return { spread: none, means: none, none };
  }
  const { set, activations, examples } = labelled;
  const places = set.concepts.map((_, concept) => concept);
  const of = (split: 'train' | 'eval') =>
    places.map((concept) => {
      const found = examples(concept, split);
      const kind = split === 'train' ? 'training' : 'held-out';
      requireBothClasses('cross-modal', set.concepts[concept]!, kind, found.labels);
      return found;
    });
  const [training, heldOut] = [of('train'), of('eval')];
  const images = createCandidates(await latents(activations));
  const best = bestLatents(images, training);
  const interval = (candidates: ReturnType<typeof createCandidates>) => {
    const all = candidates.aurocs(heldOut);
    return measuredCell(
      meanInterval(
        best.map(({ candidate }, c) => all[c]![candidate]!),
        [0, 1],
      ),
      'no concept',
    );
  };
  const onImages = interval(images);
  const rowOf = async (alignment: (typeof ALIGNMENTS)[number]) => ({
    concept_image: onImages,
    concept_caption: interval(createCandidates(await pooledCaptions(context, 'concepts', alignment))),
  });
  return { spread: await rowOf('spread'), means: await rowOf('means'), none: await rowOf('none') };
}

function emptyOutcome(reason: string): { rows: ResultRow[] } {
  const unavailable = allUnavailable(METRICS, reason);
  return { rows: [{ axes: { alignment: 'spread', control: 'none' }, metrics: {}, unavailable }] };
}
