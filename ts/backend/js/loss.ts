/**
 * Losses: value and gradient in one pass. out[0] = scale · Σ_r weight[r] · Σ_c ℓ(p, t), summed in doubles, and
 * gradient[r,c] = scale · weight[r] · ∂ℓ/∂p. Pointers of 0 stand for weights of one and for no gradient.
 */
import type { Heap } from '../heap.js'
import type { Kernels, Loss } from '../kernels.js'
import { floatShift } from './shift.js'
import { rowMax, sumExp } from './softmax.js'

type ElementName = 'squaredError' | 'absoluteError' | 'huber' | 'binaryCrossEntropy'
type ClassName = 'crossEntropyIndices' | 'crossEntropyProbabilities'

export function elementLossKernels(heap: Heap): Pick<Kernels, ElementName> {
  return {
    squaredError: squaredError(heap),
    absoluteError: absoluteError(heap),
    huber: huber(heap),
    binaryCrossEntropy: binaryCrossEntropy(heap),
  }
}

export function crossEntropyKernels(heap: Heap): Pick<Kernels, ClassName> {
  return {
    crossEntropyIndices: crossEntropyIndices(heap),
    crossEntropyProbabilities: crossEntropyProbabilities(heap),
  }
}

function squaredError(heap: Heap): Loss {
  const shift = floatShift(heap)
  return (prediction, target, weights, gradient, out, rows, cols, scale, _option) => {
    const f = heap.floats
    let total = 0
    for (let r = 0, p = prediction >>> shift, t = target >>> shift, g = gradient >>> shift; r < rows; r++) {
      const weight = weights === 0 ? 1 : f[(weights >>> shift) + r]
      const slope = 2 * scale * weight
      let sum = 0
      for (let c = 0; c < cols; c++) {
        const d = f[p++] - f[t++]
        sum += d * d
        if (gradient !== 0) f[g++] = slope * d
      }
      total += weight * sum
    }
    f[out >>> shift] = scale * total
  }
}

function absoluteError(heap: Heap): Loss {
  const shift = floatShift(heap)
  return (prediction, target, weights, gradient, out, rows, cols, scale, _option) => {
    const f = heap.floats
    let total = 0
    for (let r = 0, p = prediction >>> shift, t = target >>> shift, g = gradient >>> shift; r < rows; r++) {
      const weight = weights === 0 ? 1 : f[(weights >>> shift) + r]
      let sum = 0
      for (let c = 0; c < cols; c++) {
        const d = f[p++] - f[t++]
        sum += Math.abs(d)
        if (gradient !== 0) f[g++] = scale * weight * Math.sign(d)
      }
      total += weight * sum
    }
    f[out >>> shift] = scale * total
  }
}

function huber(heap: Heap): Loss {
  const shift = floatShift(heap)
  return (prediction, target, weights, gradient, out, rows, cols, scale, delta) => {
    const f = heap.floats
    let total = 0
    for (let r = 0, p = prediction >>> shift, t = target >>> shift, g = gradient >>> shift; r < rows; r++) {
      const weight = weights === 0 ? 1 : f[(weights >>> shift) + r]
      let sum = 0
      for (let c = 0; c < cols; c++) {
        const d = f[p++] - f[t++]
        // the derivative, clipped to [−δ, δ]; ½d² and δ(|d| − ½δ) are both slope·(d − ½slope)
        const slope = Math.min(Math.max(d, -delta), delta)
        sum += slope * (d - 0.5 * slope)
        if (gradient !== 0) f[g++] = scale * weight * slope
      }
      total += weight * sum
    }
    f[out >>> shift] = scale * total
  }
}

function binaryCrossEntropy(heap: Heap): Loss {
  const shift = floatShift(heap)
  return (prediction, target, weights, gradient, out, rows, cols, scale, smoothing) => {
    const f = heap.floats
    let total = 0
    for (let r = 0, p = prediction >>> shift, t = target >>> shift, g = gradient >>> shift; r < rows; r++) {
      const weight = weights === 0 ? 1 : f[(weights >>> shift) + r]
      let sum = 0
      for (let c = 0; c < cols; c++) {
        const x = f[p++]
        const wanted = f[t++] * (1 - smoothing) + 0.5 * smoothing
        const e = Math.exp(-Math.abs(x))
        // a target of 0 gives 0, not 0·∞
        sum += Math.max(x, 0) + Math.log1p(e) - (wanted === 0 ? 0 : x * wanted)
        if (gradient !== 0) f[g++] = scale * weight * ((x >= 0 ? 1 : e) / (1 + e) - wanted)
      }
      total += weight * sum
    }
    f[out >>> shift] = scale * total
  }
}

function crossEntropyIndices(heap: Heap): Loss {
  const shift = floatShift(heap)
  return (prediction, target, weights, gradient, out, rows, cols, scale, smoothing) => {
    const f = heap.floats
    const rest = smoothing / cols
    let total = 0
    for (let r = 0, p = prediction >>> shift, g = gradient >>> shift; r < rows; r++, p += cols, g += cols) {
      const weight = weights === 0 ? 1 : f[(weights >>> shift) + r]
      const label = heap.ints[(target >>> 2) + r]
      const max = rowMax(f, p, cols)
      const sum = sumExp(f, p, cols, max)
      // less the largest first: beside a logit of 1e30 the logarithm of the sum would be lost
      const logSum = Math.log(sum)
      let loss = (1 - smoothing) * (logSum - (f[p + label] - max))
      if (rest !== 0) for (let c = 0; c < cols; c++) loss += rest * (logSum - (f[p + c] - max))
      total += weight * loss
      if (gradient === 0) continue
      for (let c = 0; c < cols; c++) {
        const wanted = c === label ? 1 - smoothing + rest : rest
        f[g + c] = scale * weight * (Math.exp(f[p + c] - max) / sum - wanted)
      }
    }
    f[out >>> shift] = scale * total
  }
}

function crossEntropyProbabilities(heap: Heap): Loss {
  const shift = floatShift(heap)
  return (prediction, target, weights, gradient, out, rows, cols, scale, smoothing) => {
    const f = heap.floats
    let total = 0
    for (let r = 0, p = prediction >>> shift, t = target >>> shift, g = gradient >>> shift; r < rows; r++, p += cols, t += cols) {
      const factor = weights === 0 ? 1 : f[(weights >>> shift) + r]
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
      total += factor * loss
      if (gradient === 0) continue
      for (let c = 0; c < cols; c++) {
        const wanted = (1 - smoothing) * f[t + c] + smoothing / cols
        f[g++] = scale * factor * ((mass * Math.exp(f[p + c] - max)) / sum - wanted)
      }
    }
    f[out >>> shift] = scale * total
  }
}
