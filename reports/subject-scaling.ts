/** @file Scaling laws over subjects: variants that a suite trained alike on subjects of several sizes, and what they say of the largest. */
import { bootstrapLaw, mean } from '../harness/num/stats/law-form.ts';
import { fitJointLaw, type JointLaw, whyNoJointLaw } from '../harness/num/stats/scaling-law.ts';
import {
  fitReducibleSubjectLaw,
  fitSubjectLaw,
  heldOutSubject,
  type SubjectLaw,
  type SubjectPoint,
  whyNoSubjectLaw,
} from '../harness/num/stats/subject-law.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { formatInterval, formatNumber } from './format.ts';
import { groupBy } from './group-by.ts';
import {
  heldOutReading,
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
  /** The width and sparsity that the subjects are compared at: the middle of those that all have. */
  at: { n: number; k: number };
  subjects: SubjectRow[];
  reading: string[];
}

const SUBJECT_NAMES: Record<keyof SubjectLaw, string> = {
  ...NAMES,
  zeta: 'ζ: ln of the irreducible loss at k = 1 and d = 1',
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
        parameters: result.subject.parameters,
      }));
      const sizes = groupBy(trainings, ({ d }) => String(d));
      // Two subjects of one width differ in what this law knows nothing of.
      if (sizes.length < 2 || sizes.some((same) => new Set(same.map(({ subject }) => subject)).size > 1)) continue;
      if ([trainings.map(({ n }) => n), trainings.map(({ k }) => k)].some((all) => new Set(all).size < 2)) continue;
      const reason = whyNoSubjectLaw(trainings);
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

type SubjectTraining = SubjectStudy['trainings'][number] & { parameters: number | null };

function studyOf(trainings: SubjectTraining[]): Omit<SubjectStudy, 'variant' | 'site' | 'task'> {
  const cells = groupBy(trainings, ({ n, k, d }) => `${n} ${k} ${d}`);
  const [whole, reducible] = [fitSubjectLaw, fitReducibleSubjectLaw].map((fit) => ({
    ...fit(trainings),
    intervals: bootstrapLaw(cells, fit),
    held: heldOutSubject(trainings, fit),
  })) as [LawFit<SubjectLaw>, LawFit<SubjectLaw>];
  const bySubject = groupBy(trainings, ({ subject }) => subject).sort((a, b) => a[0]!.d - b[0]!.d);
  const at = middleOf(bySubject);
  return {
    trainings,
    law: whole.law,
    rows: lawRows(SUBJECT_NAMES, whole, reducible, 'd', 'subject'),
    at,
    subjects: bySubject.map((own) => subjectRow(own, at)),
    reading: [
      risingCells(bySubject),
      ...unknownReading(whole, reducible, 'width'),
      ...heldOutReading([whole.held, reducible.held], 'subject'),
    ],
  };
}

const cellOf = ({ n, k }: SubjectPoint) => `${n} ${k}`;

/** Cells that all subjects have, with the mean loss on each subject, from the smallest on. */
function sharedCells(bySubject: readonly SubjectPoint[][]): { n: number; k: number; losses: number[] }[] {
  return groupBy(bySubject[0]!, cellOf).flatMap(([cell]) => {
    const { n, k } = cell!;
    const own = bySubject.map((points) => points.filter((point) => point.n === n && point.k === k));
    if (own.some((points) => points.length === 0)) return [];
    return [{ n, k, losses: own.map((points) => mean(points.map(({ loss }) => loss))) }];
  });
}

function middleOf(bySubject: readonly SubjectPoint[][]): SubjectStudy['at'] {
  const cells = sharedCells(bySubject);
  const middle = (values: number[]) => {
    const sorted = [...new Set(values)].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]!;
  };
  const k = middle(cells.map((cell) => cell.k));
  return { k, n: middle(cells.filter((cell) => cell.k === k).map(({ n }) => n)) };
}

/** Whether a larger subject leaves more unexplained at equal n and k, as observed. */
function risingCells(bySubject: readonly SubjectPoint[][]): string {
  const cells = sharedCells(bySubject);
  const rising = cells.filter(({ losses }) => losses.every((loss, i) => i === 0 || loss > losses[i - 1]!)).length;
  const claim = 'the loss rises from each subject to the next larger one';
  return `At equal n and k ${claim} in ${rising} of ${cells.length} cells (Gao et al. 2024: larger models need more latents).`;
}

/** What the joint law of one subject says at one width and sparsity. */
function subjectRow(own: SubjectTraining[], { n, k }: SubjectStudy['at']): SubjectRow {
  const { subject, d, parameters } = own[0]!;
  const losses = own.filter((point) => point.n === n && point.k === k).map(({ loss }) => loss);
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
  const intervals = bootstrapLaw(groupBy(own, cellOf), atK);
  const known = !intervals || !isUnknown({ zeta: intervals.lnIrreducible });
  return {
    ...row,
    loss,
    exponent: formatInterval(law.exponent, intervals?.exponent ?? null),
    irreducible: known
      ? formatInterval(
          Math.exp(law.lnIrreducible),
          intervals && (intervals.lnIrreducible.map(Math.exp) as [number, number]),
        )
      : 'not determined',
  };
}
