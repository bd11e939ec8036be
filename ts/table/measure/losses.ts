/** Losses of predictions as numbers, for choosing and for reports. */
import type { LossOf } from '../../select/choose-greedily.js'

/** Mean of −log of the probability of the true class. @param weights of the rows. Default 1 */
export function logLossOf(targets: Int32Array, classes: number, weights?: ArrayLike<number>): LossOf {
  return (p) => {
    let [sum, total] = [0, 0]
    for (let i = 0; i < targets.length; i++) {
      const weight = weights?.[i] ?? 1
      sum -= weight * Math.log(Math.max(p[i * classes + targets[i]], 1e-9))
      total += weight
    }
    return sum / total
  }
}

/** Mean of squared errors. @param weights of the rows. Default 1 */
export function squaredErrorOf(targets: Float32Array, weights?: ArrayLike<number>): LossOf {
  return errorOf(targets, (error) => error ** 2, weights)
}

/** Mean of absolute errors. @param weights of the rows. Default 1 */
export function absoluteErrorOf(targets: Float32Array, weights?: ArrayLike<number>): LossOf {
  return errorOf(targets, Math.abs, weights)
}

function errorOf(targets: Float32Array, of: (error: number) => number, weights: ArrayLike<number> | undefined): LossOf {
  return (p) => {
    let [sum, total] = [0, 0]
    for (let i = 0; i < targets.length; i++) {
      const weight = weights?.[i] ?? 1
      sum += weight * of(p[i] - targets[i])
      total += weight
    }
    return sum / total
  }
}
