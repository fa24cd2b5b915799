/** @file One look for all plots: a colour for each method that stays the same throughout a report. */

/** Okabe and Ito's palette and darker companions: told apart by colour-blind readers. */
const SAE_COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7b3294', '#1b7837'];
const BASELINE_COLOURS = ['#666666', '#8c6d31', '#3b3b98', '#a05195', '#7f8c8d', '#b8860b', '#4d4d4d', '#b0b0b0'];

export interface Palette {
  colourOf(method: string): string;
}

/** Colours by order of appearance: strong ones for SAEs, muted ones for baselines. */
export function createPalette(methods: readonly { name: string; kind: 'sae' | 'baseline' }[]): Palette {
  const colours = new Map<string, string>();
  const next = { sae: 0, baseline: 0 };
  for (const { name, kind } of methods) {
    if (colours.has(name)) continue;
    const list = kind === 'sae' ? SAE_COLOURS : BASELINE_COLOURS;
    colours.set(name, list[next[kind]++ % list.length]!);
  }
  return { colourOf: (method) => colours.get(method) ?? '#000000' };
}

export const TEXT_STYLE = { fontFamily: 'system-ui, sans-serif', fontSize: 11, color: '#222' } as const;

/** A value axis with a name in the middle of it. */
export function valueAxis(name: string, options: Record<string, unknown> = {}) {
  return {
    type: 'value' as const,
    name,
    nameLocation: 'middle' as const,
    nameTextStyle: TEXT_STYLE,
    axisLabel: { ...TEXT_STYLE, hideOverlap: true },
    // At the edge, also where the other axis passes zero: beside its numbers.
    axisLine: { show: true, onZero: false },
    splitLine: { lineStyle: { color: '#eee' } },
    scale: true,
    ...options,
  };
}

/** Around a point that none beats. */
export const RING = { borderColor: '#000', borderWidth: 1.5 };
