/** Comparison of two models by their losses on the same rows. */

/**
 * Difference between the losses of a reference and of a model on the same rows, as a fraction of the loss of a guess without columns, with its 95 %
 * interval. Above 0 the model is better. The share is a ratio of two means, whose interval is Student's with the linearized variance (Cochran,
 * *Sampling Techniques*, 1977, §6.4): rows on which the guess has a large loss count in both means.
 */
export interface PairedDifference {
  difference: number
  low: number
  high: number
}

/** Other predictions for the same rows, in the form of the model's: row-major [rows, classes] probabilities, or numbers. */
export interface Besides {
  /** A straight line that was fitted to the same rows. */
  line?: Float64Array
  /** The target of the row before in time. */
  before?: Float64Array
  /** Another model. */
  other?: Float64Array
}

/** A smaller difference, as a fraction of the guess's loss, is rounding. */
const ROUNDING = 1e-9
/** Least number of rows for a comparison. */
const FEWEST_PAIRS = 3

/**
 * Compares losses of predictions row by row: for classes −log of the probability of the true class, for numbers the squared error.
 * @param predictions row-major [rows, classes] probabilities, or numbers
 * @param baseline the guess for each row
 * @param besides other predictions for comparison
 * @param factors weight of a row of each class. Default 1
 * @returns the comparisons with the guess and with each of the others; undefined for too few rows
 */
export function compareLosses(
  predictions: Float64Array,
  targets: Int32Array | Float32Array,
  baseline: readonly number[],
  classes: number,
  besides: Besides = {},
  factors?: readonly number[],
): ({ guess: PairedDifference } & { [name in keyof Besides]?: PairedDifference }) | undefined {
  const { length } = targets
  // the guess is the same for each row
  const losses = (answers: ArrayLike<number>, size: number) =>
    Float64Array.from(targets, (target, row) =>
      classes > 0
        ? -(factors?.[target] ?? 1) * Math.log(Math.max(answers[row * size + target], 1e-9))
        : (answers[size === 0 ? 0 : row] - target) ** 2,
    )
  const own = losses(predictions, classes || 1)
  const ofGuess = losses(baseline, 0)
  const unit = ofGuess.reduce((sum, loss) => sum + loss, 0) / length
  if (length < FEWEST_PAIRS || !(unit > 0)) return undefined
  const paired = (other: Float64Array): PairedDifference => {
    const each = other.map((loss, row) => withoutRounding((loss - own[row]) / unit))
    const mean = each.reduce((sum, d) => sum + d, 0) / length
    const free = length - 1
    const variance = each.reduce((sum, d, row) => sum + (d - mean * (ofGuess[row] / unit)) ** 2, 0) / free
    // the 0.975 quantile of Student's distribution, to half a percent from two degrees of freedom on
    const t = 1.96 + 2.37 / free + 2.82 / free ** 2 + 2.6 / free ** 3
    const half = t * Math.sqrt(variance / length)
    return { difference: mean, low: mean - half, high: mean + half }
  }
  const others = Object.entries(besides).map(([name, answers]) => [name, paired(losses(answers, classes || 1))])
  const found: { guess: PairedDifference } & { [name in keyof Besides]?: PairedDifference } = {
    guess: paired(ofGuess),
    ...Object.fromEntries(others),
  }
  return Object.values(found).every(({ low, high }) => Number.isFinite(low + high)) ? found : undefined
}

const withoutRounding = (difference: number) => (Math.abs(difference) < ROUNDING ? 0 : difference)
