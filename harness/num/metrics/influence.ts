/**
 * @file How much each item moves a detector's score: derivatives by the items' weights. Their squares sum to the variance that
 * the choice of items gives the score, their products to the covariance of two scores over the same items.
 */

/** Influence of each item, about a mean of 0 in each class. */
export interface Influence {
  positives: Float64Array;
  negatives: Float64Array;
}

/** About their mean, and with the divisor n - 1 instead of n in what their squares sum to. */
function centred(values: Float64Array): Float64Array {
  const n = values.length;
  if (n < 2) return new Float64Array(n);
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const scale = Math.sqrt(n / (n - 1));
  return values.map((value) => scale * (value - mean));
}

/** Number of `sorted` (ascending) values below `score`, ties counting one half. */
function below(sorted: Float64Array, score: number): number {
  const first = (accept: (value: number) => boolean) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (accept(sorted[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return (first((value) => value >= score) + first((value) => value > score)) / 2;
}

/** Of the AUROC (DeLong, DeLong & Clarke-Pearson 1988: the placement of each item among the other class). */
export function aurocInfluence(positives: Float64Array, negatives: Float64Array): Influence {
  const [of1, of0] = [positives.slice().sort(), negatives.slice().sort()];
  const [m, n] = [positives.length, negatives.length];
  return {
    positives: centred(positives.map((score) => below(of0, score) / (n * m))),
    negatives: centred(negatives.map((score) => (m - below(of1, score)) / (n * m))),
  };
}

/** Of average precision: the mean over positives of the precision at their score. */
export function averagePrecisionInfluence(positives: Float64Array, negatives: Float64Array): Influence {
  const m = positives.length;
  const order = Array.from({ length: m + negatives.length }, (_, i) => i);
  const scoreOf = (i: number) => (i < m ? positives[i]! : negatives[i - m]!);
  order.sort((a, b) => scoreOf(b) - scoreOf(a));
  const gain = new Float64Array(order.length);
  // From the highest score down: positives P and negatives N so far; from the lowest up: what a lower positive loses.
  const groups: { items: number[]; P: number; N: number; ofPositives: number }[] = [];
  let [P, N] = [0, 0];
  for (let from = 0; from < order.length; ) {
    let to = from;
    const score = scoreOf(order[from]!);
    while (to < order.length && scoreOf(order[to]!) === score) to++;
    const items = order.slice(from, to);
    const ofPositives = items.filter((i) => i < m).length;
    P += ofPositives;
    N += items.length - ofPositives;
    groups.push({ items, P, N, ofPositives });
    from = to;
  }
  let [ofPositive, ofNegative] = [0, 0];
  for (const group of groups.reverse()) {
    const all = (group.P + group.N) ** 2;
    ofPositive += (group.ofPositives * group.N) / all;
    ofNegative -= (group.ofPositives * group.P) / all;
    const precision = group.P / (group.P + group.N);
    for (const i of group.items) gain[i] = (i < m ? precision + ofPositive : ofNegative) / m;
  }
  return { positives: centred(gain.subarray(0, m)), negatives: centred(gain.subarray(m)) };
}

/** Of F1 at a threshold and a prior π: derivatives of 2π·TPR ÷ (π·TPR + (1−π)·FPR + π) by both rates. */
export function f1Influence(
  positives: Float64Array,
  negatives: Float64Array,
  threshold: number,
  prior: number,
): Influence {
  const rate = (scores: Float64Array) => scores.filter((score) => score >= threshold).length / scores.length;
  const [tpr, fpr] = [rate(positives), rate(negatives)];
  const whole = prior * tpr + (1 - prior) * fpr + prior;
  const byTpr = (2 * prior * ((1 - prior) * fpr + prior)) / whole ** 2;
  const byFpr = (-2 * prior * tpr * (1 - prior)) / whole ** 2;
  const accepted = (scores: Float64Array, slope: number) =>
    centred(scores.map((score) => (score >= threshold ? slope / scores.length : 0)));
  return { positives: accepted(positives, byTpr), negatives: accepted(negatives, byFpr) };
}

/** Of the share of scores below a threshold. */
export function shareBelowInfluence(scores: Float64Array, threshold: number): Float64Array {
  return centred(scores.map((score) => (score < threshold ? 1 / scores.length : 0)));
}
