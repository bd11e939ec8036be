/**
 * Losses: value and gradient in one pass. out[0] = scale · Σ_r weight[r] · Σ_c ℓ(p, t), summed in doubles, and
 * gradient[r,c] = scale · weight[r] · ∂ℓ/∂p. Pointers of 0 stand for weights of one and for no gradient.
 */
import type { FloatArray, Heap } from '../heap.js'
import type { Kernels, Loss } from '../kernels.js'
import { floatShift } from './shift.js'
import { rowMax, sumExp } from './softmax.js'

type ElementName = 'squaredError' | 'absoluteError' | 'huber' | 'binaryCrossEntropy'
type ClassName = 'crossEntropyIndices' | 'crossEntropyProbabilities'

/** The loss Σ_c ℓ of one row, with scores from index p of f on and targets from t on. Writes `factor` times its gradient from g on, unless g is −1. */
type Row = (f: FloatArray, p: number, t: number, g: number, cols: number, factor: number, option: number) => number

export function elementLossKernels(heap: Heap): Pick<Kernels, ElementName> {
  return {
    squaredError: eachRow(heap, squaredError),
    absoluteError: eachRow(heap, absoluteError),
    huber: eachRow(heap, huber),
    binaryCrossEntropy: eachRow(heap, binaryCrossEntropy),
  }
}

export function crossEntropyKernels(heap: Heap): Pick<Kernels, ClassName> {
  return {
    crossEntropyIndices: eachRow(heap, (f, p, t, ...rest) => crossEntropyIndices(f, p, heap.ints[t], ...rest), true),
    crossEntropyProbabilities: eachRow(heap, crossEntropyProbabilities),
  }
}

/** The kernel of a loss. @param hasLabels true for targets of one integer per row */
function eachRow(heap: Heap, row: Row, hasLabels = false): Loss {
  const shift = floatShift(heap)
  return (prediction, target, weights, gradient, out, rows, cols, scale, option) => {
    const f = heap.floats
    let total = 0
    for (let r = 0; r < rows; r++) {
      const weight = weights === 0 ? 1 : f[(weights >>> shift) + r]
      const t = hasLabels ? (target >>> 2) + r : (target >>> shift) + r * cols
      const g = gradient === 0 ? -1 : (gradient >>> shift) + r * cols
      total += weight * row(f, (prediction >>> shift) + r * cols, t, g, cols, scale * weight, option)
    }
    f[out >>> shift] = scale * total
  }
}

function squaredError(f: FloatArray, p: number, t: number, g: number, cols: number, factor: number): number {
  let sum = 0
  for (let c = 0; c < cols; c++) {
    const d = f[p + c] - f[t + c]
    sum += d * d
    if (g >= 0) f[g + c] = 2 * factor * d
  }
  return sum
}

function absoluteError(f: FloatArray, p: number, t: number, g: number, cols: number, factor: number): number {
  let sum = 0
  for (let c = 0; c < cols; c++) {
    const d = f[p + c] - f[t + c]
    sum += Math.abs(d)
    if (g >= 0) f[g + c] = factor * Math.sign(d)
  }
  return sum
}

function huber(f: FloatArray, p: number, t: number, g: number, cols: number, factor: number, delta: number): number {
  let sum = 0
  for (let c = 0; c < cols; c++) {
    const d = f[p + c] - f[t + c]
    // the derivative, clipped to [−δ, δ]; ½d² and δ(|d| − ½δ) are both slope·(d − ½slope)
    const slope = Math.min(Math.max(d, -delta), delta)
    sum += slope * (d - 0.5 * slope)
    if (g >= 0) f[g + c] = factor * slope
  }
  return sum
}

function binaryCrossEntropy(f: FloatArray, p: number, t: number, g: number, cols: number, factor: number, smoothing: number): number {
  let sum = 0
  for (let c = 0; c < cols; c++) {
    const x = f[p + c]
    const wanted = f[t + c] * (1 - smoothing) + 0.5 * smoothing
    const e = Math.exp(-Math.abs(x))
    // a target of 0 gives 0, not 0·∞
    sum += Math.max(x, 0) + Math.log1p(e) - (wanted === 0 ? 0 : x * wanted)
    if (g >= 0) f[g + c] = factor * ((x >= 0 ? 1 : e) / (1 + e) - wanted)
  }
  return sum
}

function crossEntropyIndices(f: FloatArray, p: number, label: number, g: number, cols: number, factor: number, smoothing: number): number {
  const rest = smoothing / cols
  const max = rowMax(f, p, cols)
  const sum = sumExp(f, p, cols, max)
  // the largest logit is subtracted first: added to a logit of 1e30, the logarithm of the sum would be lost
  const logSum = Math.log(sum)
  let loss = (1 - smoothing) * (logSum - (f[p + label] - max))
  if (rest !== 0) for (let c = 0; c < cols; c++) loss += rest * (logSum - (f[p + c] - max))
  if (g < 0) return loss
  for (let c = 0; c < cols; c++) {
    const wanted = c === label ? 1 - smoothing + rest : rest
    f[g + c] = factor * (Math.exp(f[p + c] - max) / sum - wanted)
  }
  return loss
}

function crossEntropyProbabilities(
  f: FloatArray,
  p: number,
  t: number,
  g: number,
  cols: number,
  factor: number,
  smoothing: number,
): number {
  const max = rowMax(f, p, cols)
  const sum = sumExp(f, p, cols, max)
  const logSum = Math.log(sum)
  let loss = 0
  let mass = 0
  for (let c = 0; c < cols; c++) {
    const wanted = (1 - smoothing) * f[t + c] + smoothing / cols
    // 0 · log 0 counts as 0: a target of 0 adds nothing, even if the probability is 0
    if (wanted !== 0) loss += wanted * (logSum - (f[p + c] - max))
    mass += wanted
  }
  if (g < 0) return loss
  for (let c = 0; c < cols; c++) {
    const wanted = (1 - smoothing) * f[t + c] + smoothing / cols
    f[g + c] = factor * ((mass * Math.exp(f[p + c] - max)) / sum - wanted)
  }
  return loss
}
