/** How rows answer to classes: each has one class, or a set of them. The answer of a row is a number: of its class, or of its set. */
/** @internal */
export interface Answers {
  /** Of each answer, 1 for each class of the set; null where an answer is a class. */
  readonly sets: readonly Uint8Array[] | null
  /** Loss of one row: logits are multiplied by `inverse`, which is 1/temperature. */
  lossOf(z: Float64Array, answer: number, inverse: number): number
  /** Adds the first and second derivative of {@link lossOf} by `inverse`. */
  addSlopes(z: Float64Array, answer: number, inverse: number, slopes: [number, number]): void
  /** 1 for a row that is right; of a set, the share of classes that are right. */
  rightOf(z: Float64Array, answer: number): number
}

/** Each row has one class: softmax and cross-entropy. */
export const ONE_CLASS: Answers = {
  sets: null,
  lossOf(z, target, inverse) {
    const most = z[largestOf(z)]
    let sum = 0
    for (let c = 0; c < z.length; c++) sum += Math.exp((z[c] - most) * inverse)
    return Math.log(sum) - (z[target] - most) * inverse
  },
  addSlopes(z, target, inverse, slopes) {
    const most = z[largestOf(z)]
    // a list of three would be built for each row
    let sum = 0
    let first = 0
    let second = 0
    for (let c = 0; c < z.length; c++) {
      const d = z[c] - most
      const p = Math.exp(d * inverse)
      sum += p
      first += p * d
      second += p * d * d
    }
    const mean = first / sum
    slopes[0] += mean - (z[target] - most)
    slopes[1] += second / sum - mean ** 2
  },
  rightOf: (z, answer) => Number(largestOf(z) === answer),
}

/**
 * Each row has a set of classes: a logistic function a class.
 *
 * @param sets of each answer, 1 for each class in it
 * @param judged classes that {@link Answers.lossOf} and {@link Answers.rightOf} look at. Default: all
 */
export function setsOf(sets: readonly Uint8Array[], judged: readonly number[] = Array.from(sets[0] ?? [], (_, c) => c)): Answers {
  return {
    sets,
    lossOf(z, answer, inverse) {
      const set = sets[answer]
      let sum = 0
      for (const c of judged) {
        // −log of the probability of what the row says about the class
        const against = (set[c] === 1 ? -z[c] : z[c]) * inverse
        sum += Math.max(against, 0) + Math.log1p(Math.exp(-Math.abs(against)))
      }
      return sum / judged.length
    },
    addSlopes(z, answer, inverse, slopes) {
      const set = sets[answer]
      for (const c of judged) {
        const against = set[c] === 1 ? -z[c] : z[c]
        const p = 1 / (1 + Math.exp(-against * inverse))
        slopes[0] += (against * p) / judged.length
        slopes[1] += (against ** 2 * p * (1 - p)) / judged.length
      }
    },
    rightOf(z, answer) {
      let right = 0
      for (const c of judged) right += Number(z[c] > 0 === (sets[answer][c] === 1))
      return right / judged.length
    },
  }
}

/** The class of the largest logit, the first one of equal ones. */
export function largestOf(z: Float64Array): number {
  let best = 0
  for (let c = 1; c < z.length; c++) if (z[c] > z[best]) best = c
  return best
}
