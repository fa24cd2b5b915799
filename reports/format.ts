/** @file Numbers and names as readers see them in tables. */
import type { Result } from '../harness/schema/result.generated.ts';

/** At most four significant digits, no exponent for everyday sizes; `–` for an empty cell. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2);
  if (size >= 1000) return value.toFixed(0);
  if (size >= 100) return value.toFixed(1);
  if (size >= 10) return value.toFixed(2);
  return value.toFixed(3);
}

/** `0.912 [0.893, 0.930]`, `†` behind an interval from few units, or the number alone where there is none. */
export function formatInterval(
  value: number | null,
  ci95: [number, number] | null,
  { few }: { few?: boolean } = {},
): string {
  if (value === null || !ci95) return formatNumber(value);
  return `${formatNumber(value)} [${formatNumber(ci95[0])}, ${formatNumber(ci95[1])}]${few ? '†' : ''}`;
}

/** `auroc_hard` → `AUROC hard`; field terms keep their usual spelling. */
export function metricTitle(name: string): string {
  const known: Record<string, string> = {
    l0: 'L0',
    l1: 'L1',
    mse: 'MSE',
    nmse: 'NMSE',
    ms: 'MS',
    ce: 'CE',
    kl: 'KL',
    auroc: 'AUROC',
    f1: 'F1',
    ci: 'CI',
    l2: 'L2',
    '1pct': '1 %',
    macs: 'MACs',
    mcc: 'MCC',
    tapascore: 'TAPAScore',
  };
  return name
    .split('_')
    .map((word) => known[word] ?? word)
    .join(' ');
}

/** `{ selection: 'auroc' }` → `selection: auroc`; the empty string where there are no axes. */
export function axesLabel(axes: Record<string, string>): string {
  return Object.entries(axes)
    .map(([axis, value]) => `${axis}: ${value}`)
    .join(', ');
}

/** What items were compared by, where it is neither the dataset nor the task's own: other embeddings, other numbers. */
export const embedderText = ({ embedder }: Result['task']): string[] =>
  embedder ? [`items compared by ${embedder.id} (${embedder.family.split('@')[0]})`] : [];

/** `4,000 training rows × 12.5 epochs and 300 test rows`; several numbers of epochs where SAEs trained differently long. */
export function rowsText({ trainRows, testRows }: Pick<Result['dataset'], 'trainRows' | 'testRows'>, epochs: number[]) {
  const often = epochs.map((times) => Number(times.toPrecision(3)).toLocaleString('en')).join(' or ');
  const seen = often === '' ? '' : ` × ${often} epoch${often === '1' ? '' : 's'}`;
  return `${trainRows.toLocaleString('en')} training rows${seen} and ${testRows.toLocaleString('en')} test rows`;
}
