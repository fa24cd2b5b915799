/** @file Scaling laws over subjects: variants that a suite trained alike on subjects of several sizes, and what they say of the largest. */
import { bootstrapLaw, mean } from '../harness/num/stats/law-form.ts';
import { fitJointLaw, type JointLaw, whyNoJointLaw } from '../harness/num/stats/scaling-law.ts';
import {
  cellOf,
  fitReducibleSubjectLaw,
  fitSubjectLaw,
  heldOutSubject,
  relative,
  type SubjectLaw,
  type SubjectPoint,
  sharedPoints,
  whyNoSubjectLaw,
} from '../harness/num/stats/subject-law.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { formatInterval, formatNumber } from './format.ts';
import { groupBy } from './group-by.ts';
import {
  heldOutReading,
  isGrid,
  isUnknown,
  type LawFit,
  type LawRow,
  lawRows,
  NAMES,
  type RefusedLaw,
  remarksOn,
  trainingCurves,
  unknownReading,
} from './scaling.ts';
import { type Setting, settingIn } from './settings.ts';

/** A subject and what its own trainings say. */
interface SubjectRow {
  subject: string;
  d: string;
  parameters: string;
  loss: string;
  exponent: string;
  irreducible: string;
}

/** The law of one variant over the subjects that have one site. */
export interface SubjectStudy {
  variant: string;
  site: string;
  task: string;
  trainings: (SubjectPoint & { subject: string })[];
  law: SubjectLaw;
  rows: LawRow[];
  /** The n / d and k / d that the subjects are compared at: the middle of those that all have. */
  at: { n: number; k: number };
  /** The same in words. */
  place: string;
  subjects: SubjectRow[];
  reading: string[];
}

const SUBJECT_NAMES: Record<keyof SubjectLaw, string> = {
  ...NAMES,
  ...{ beta_k: 'β of ln(k / d)', beta_n: 'β of ln(n / d)', gamma: 'γ of ln(k / d) · ln(n / d)' },
  ...{ zeta: 'ζ: ln of the irreducible loss at k = d = 1', eta: 'η: its exponent in k / d' },
  delta: 'δ of ln d',
  theta: 'θ: exponent of the irreducible loss in d',
};

/** What a result was run under, but for the subject itself and the numbers of rows that its tokens make. */
function settingBesideSubject(result: Result): Setting {
  const { run, ...setting } = settingIn(result);
  const { subject: _, 'training rows': __, 'test rows': ___, ...others } = run;
  return { ...setting, run: others };
}

/** Studies of the variants that were trained alike on subjects of two sizes or more; refusals where a grid is too small. */
export function subjectStudies(results: readonly Result[]): { studies: SubjectStudy[]; refused: RefusedLaw[] } {
  const studies: SubjectStudy[] = [];
  const refused: RefusedLaw[] = [];
  for (const own of groupBy(results, ({ task, site }) => JSON.stringify([task.id, site.name]))) {
    for (const { label, own: trained, lost } of trainingCurves(own, settingBesideSubject)) {
      const trainings = trained.map(({ result, point }) => ({
        ...point,
        d: result.site.d_in,
        subject: result.subject.id,
        fingerprint: result.subject.fingerprint,
        parameters: result.subject.parameters,
      }));
      const sizes = groupBy(trainings, ({ d }) => String(d));
      if (sizes.length < 2 || sizes.every((same) => !isGrid(same))) continue;
      const reason = whyNotBySize(sizes) ?? whyNoSubjectLaw(trainings);
      const { site, task } = own[0]!;
      if (reason !== undefined) refused.push({ variant: `${label} over subjects at ${site.name}`, reason });
      else {
        const study = studyOf(trainings);
        const reading = [...remarksOn(trained, lost), ...study.reading];
        studies.push({ ...study, variant: label, site: site.name, task: task.title, reading });
      }
    }
  }
  return { studies, refused };
}

type SubjectTraining = SubjectStudy['trainings'][number] & { fingerprint: string; parameters: number | null };

/** Two subjects of one width, or one whose files changed in between, differ in what this law knows nothing of. */
function whyNotBySize(sizes: readonly SubjectTraining[][]): string | undefined {
  const models = sizes.map((same) => groupBy(same, ({ subject, fingerprint }) => `${subject} ${fingerprint}`));
  const several = models.find((same) => same.length > 1);
  if (several === undefined) return undefined;
  const names = several.map(([first]) => `${first!.subject} (files ${first!.fingerprint.slice(0, 8)})`);
  return `expected one subject of each width; found ${names.join(' and ')} of d ${several[0]![0]!.d}`;
}

function studyOf(trainings: SubjectTraining[]): Omit<SubjectStudy, 'variant' | 'site' | 'task'> {
  const cells = groupBy(trainings, ({ n, k, d }) => `${n} ${k} ${d}`);
  const [whole, reducible] = [fitSubjectLaw, fitReducibleSubjectLaw].map((fit) => ({
    ...fit(trainings),
    intervals: bootstrapLaw(cells, fit),
    held: heldOutSubject(trainings, fit),
  })) as [LawFit<SubjectLaw>, LawFit<SubjectLaw>];
  const bySubject = groupBy(trainings, ({ subject }) => subject).sort((a, b) => a[0]!.d - b[0]!.d);
  const at = middleOf(trainings);
  return {
    trainings,
    law: whole.law,
    rows: lawRows(SUBJECT_NAMES, whole, reducible, 'd', 'subject'),
    at,
    place: `n = ${formatNumber(at.n)} d, k = ${formatNumber(at.k)} d`,
    subjects: bySubject.map((own) => subjectRow(own, at)),
    reading: [
      ...risesReading(bySubject),
      ...unknownReading(whole, reducible, 'width'),
      ...heldOutReading([whole.held, reducible.held], 'subject'),
    ],
  };
}

const meanLoss = (points: readonly SubjectPoint[]) => mean(points.map(({ loss }) => loss));

/** Of the n / d and k / d that all subjects have. */
function middleOf(trainings: readonly SubjectPoint[]): SubjectStudy['at'] {
  const cells = sharedPoints(trainings).map(relative);
  const middle = (values: number[]) => {
    const sorted = [...new Set(values)].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]!;
  };
  const k = middle(cells.map((cell) => cell.k));
  return { k, n: middle(cells.filter((cell) => cell.k === k).map(({ n }) => n)) };
}

/** How often the loss rises from a subject to the next larger one, of trainings that are alike by a key. */
function rises(bySubject: readonly SubjectPoint[][], key: (point: SubjectPoint) => string): [number, number] {
  let [rising, pairs] = [0, 0];
  for (const [i, larger] of bySubject.slice(1).entries()) {
    for (const cell of groupBy(larger, key)) {
      const smaller = bySubject[i]!.filter((point) => key(point) === key(cell[0]!));
      if (smaller.length === 0) continue;
      pairs++;
      if (meanLoss(cell) > meanLoss(smaller)) rising++;
    }
  }
  return [rising, pairs];
}

/** Whether a larger subject leaves more unexplained, as observed. */
function risesReading(bySubject: readonly SubjectPoint[][]): string[] {
  const [rising, pairs] = rises(bySubject, ({ n, k }) => `${n} ${k}`);
  const [relativeRising, relativePairs] = rises(bySubject, cellOf);
  const from = 'from one subject to the next larger one';
  return [
    ...(pairs > 0
      ? [
          `At equal n and k the loss rises ${from} in ${rising} of ${pairs} cells (${rising === pairs ? 'as Gao et al. 2024 found' : 'Gao et al. 2024 found that it does'}).`,
        ]
      : []),
    `At equal n / d and k / d it rises ${from} in ${relativeRising} of ${relativePairs}.`,
  ];
}

/** What the joint law of one subject says at one width and sparsity. */
function subjectRow(own: SubjectTraining[], at: SubjectStudy['at']): SubjectRow {
  const { subject, d, parameters } = own[0]!;
  const k = at.k * d;
  // Not by n and k: a quotient times its divisor is not always the number that was divided.
  const losses = own.filter((point) => cellOf(point) === `${at.n} ${at.k}`).map(({ loss }) => loss);
  const row = { subject, d: String(d), parameters: parameters?.toLocaleString('en') ?? '–' };
  const loss = formatNumber(mean(losses));
  if (whyNoJointLaw(own) !== undefined) return { ...row, loss, exponent: '–', irreducible: '–' };
  // At this k the exponent and the irreducible loss are parameters of their own, whose intervals one can draw.
  const atK = (points: SubjectPoint[], near?: JointLaw) => {
    const { law, residual } = fitJointLaw(points, near);
    const exponent = law.beta_n + law.gamma * Math.log(k);
    return { law: { ...law, exponent, lnIrreducible: law.zeta + law.eta * Math.log(k) }, residual };
  };
  const { law } = atK(own);
  const intervals = bootstrapLaw(
    groupBy(own, ({ n, k }) => `${n} ${k}`),
    atK,
  );
  return {
    ...row,
    loss,
    exponent: formatInterval(law.exponent, intervals?.exponent ?? null),
    irreducible:
      intervals && !isUnknown({ zeta: intervals.lnIrreducible })
        ? formatInterval(Math.exp(law.lnIrreducible), intervals.lnIrreducible.map(Math.exp) as [number, number])
        : 'not determined',
  };
}
