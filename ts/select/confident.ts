/** Labels that are probably wrong, by probabilities from models that did not see their rows. */

/** A row whose label is probably wrong. */
export interface Doubt {
  index: number
  /** The class that is likelier. */
  suggestion: number
  /** Probabilities of the class that the row has, and of the likelier one. */
  probability: number
  suggestedProbability: number
}

/**
 * Confident learning (Northcutt, Jiang & Chuang 2021): a row is named where another class has at least the probability that this class has on average
 * for rows with its label, and is the likeliest such class. Classes of a single row name none. The surest rows come first.
 *
 * @param probabilities of rows that no model was trained on when it predicted them, row-major
 */
export function doubtful(probabilities: ArrayLike<number>, labels: ArrayLike<number>, classes: number): Doubt[] {
  const counts = new Float64Array(classes)
  const sums = new Float64Array(classes)
  for (let i = 0; i < labels.length; i++) {
    counts[labels[i]]++
    sums[labels[i]] += probabilities[i * classes + labels[i]]
  }
  const usual = sums.map((sum, c) => sum / counts[c])
  const found: Doubt[] = []
  for (let i = 0; i < labels.length; i++) {
    const p = (c: number) => probabilities[i * classes + c]
    let best = -1
    for (let c = 0; c < classes; c++) if (counts[c] > 1 && p(c) >= usual[c] && (best < 0 || p(c) > p(best))) best = c
    if (best < 0 || best === labels[i] || counts[labels[i]] < 2) continue
    found.push({ index: i, suggestion: best, probability: p(labels[i]), suggestedProbability: p(best) })
  }
  return found.sort((a, b) => a.probability - a.suggestedProbability - (b.probability - b.suggestedProbability) || a.index - b.index)
}
