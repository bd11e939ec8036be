/** Losses of predictions as numbers, for choosing and for reports. */
import type { LossOf } from '../select/choose-greedily.js'

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

/** Mean of squared errors. */
export function squaredErrorOf(targets: Float32Array): LossOf {
  return (p) => {
    let sum = 0
    for (let i = 0; i < targets.length; i++) sum += (p[i] - targets[i]) ** 2
    return sum / targets.length
  }
}

/** Mean of absolute errors. */
export function absoluteErrorOf(targets: Float32Array): LossOf {
  return (p) => {
    let sum = 0
    for (let i = 0; i < targets.length; i++) sum += Math.abs(p[i] - targets[i])
    return sum / targets.length
  }
}
