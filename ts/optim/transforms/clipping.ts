/** Clipping: gradient transforms that limit norms or values. */
import type { FloatArray } from '../../backend/heap.js'
import { checkValue, nonNegative, positive, type Range, readOptions, type Schema } from '../../common/options.js'
import type { Parameter } from '../../parameter.js'
import type { GradientTransform } from '../base/gradients.js'
import { multiply } from '../base/matrix.js'

const anyNorm: Range = { min: 0, max: Infinity, openMin: true }

export const CLIP_GLOBAL_NORM = {
  norm: { is: anyNorm, default: 2 },
  epsilon: { is: nonNegative, default: 1e-6 },
} satisfies Schema<NonNullable<Parameters<typeof clipGlobalNorm>[1]>>

/**
 * All gradients together are shortened to norm c: g ← g · min(1, c / (‖g‖ + ε)). Keeps the direction; the usual guard of
 * recurrent nets and transformers. PyTorch's formula, ε = 1e-6; optax is ε = 0. `norm` is 1, 2, Infinity or any other p > 0.
 *
 * @example new Adam(model.parameters(), { gradientTransforms: [clipGlobalNorm(1)] })
 */
export function clipGlobalNorm(limit: number, options: { norm?: number; epsilon?: number } = {}): GradientTransform {
  const { norm, epsilon } = readOptions('clipGlobalNorm', options, CLIP_GLOBAL_NORM)
  checkValue('clipGlobalNorm: limit', limit, nonNegative)
  return {
    name: 'clipGlobalNorm',
    apply(gradients) {
      gradients.scale *= Math.min(1, limit / (gradients.norm(norm) + epsilon))
    },
  }
}

/**
 * Every element is clipped to [−c, c]. Changes the direction of the step; robust against single wild elements.
 *
 * @example new Adam(model.parameters(), { gradientTransforms: [clipByValue(0.5)] })
 */
export function clipByValue(limit: number): GradientTransform {
  checkValue('clipByValue: limit', limit, nonNegative)
  return {
    name: 'clipByValue',
    apply({ groups, scale }) {
      const bound = limit / Math.abs(scale)
      for (const { spans, backend } of groups) for (const { g, n } of spans) backend.kernels.clip(g, g, n, -bound, bound)
    },
  }
}

/**
 * Each parameter's gradient is shortened to norm c: g ← g · c / max(‖g‖, c). Keras calls it clipnorm.
 *
 * @example new Adam(model.parameters(), { gradientTransforms: [clipByNorm(1)] })
 */
export function clipByNorm(limit: number): GradientTransform {
  checkValue('clipByNorm: limit', limit, nonNegative)
  return perParameter('clipByNorm', (p, scale) => {
    const norm = Math.sqrt(p.backend.kernels.sumSquares(p.gradientAddress, p.size)) * scale
    return norm > limit ? limit / norm : 1
  })
}

/**
 * Each parameter's gradient is shortened to root mean square c: g ← g / max(1, rms(g)/c).
 *
 * @example new Adam(model.parameters(), { gradientTransforms: [clipByRms(1)] })
 */
export function clipByRms(limit: number): GradientTransform {
  checkValue('clipByRms: limit', limit, positive)
  return perParameter('clipByRms', (p, scale) => {
    const rms = Math.sqrt(p.backend.kernels.sumSquares(p.gradientAddress, p.size) / p.size) * scale
    return 1 / Math.max(1, rms / limit)
  })
}

export const ADAPTIVE_CLIP = {
  epsilon: { is: nonNegative, default: 1e-3 },
} satisfies Schema<NonNullable<Parameters<typeof adaptiveClip>[1]>>

/**
 * Adaptive clipping (Brock et al. 2021): the gradient of each unit (column of a weight matrix, whole vector) gets at most
 * c times the norm of the unit's weights. For nets without normalization layers; not for the last layer.
 *
 * @example new Adam(model.parameters(), { gradientTransforms: [adaptiveClip(0.01)] })
 */
export function adaptiveClip(limit: number, options: { epsilon?: number } = {}): GradientTransform {
  const { epsilon } = readOptions('adaptiveClip', options, ADAPTIVE_CLIP)
  checkValue('adaptiveClip: limit', limit, nonNegative)
  return {
    name: 'adaptiveClip',
    apply(gradients) {
      const { scale } = gradients
      gradients.forEach((p, g) => clipUnits(p.view(), g, unitsOf(p), limit, epsilon, Math.abs(scale)))
    },
  }
}

/** A transform that multiplies each parameter's gradient by a factor. */
function perParameter(name: string, factor: (p: Parameter, scale: number) => number): GradientTransform {
  return {
    name,
    apply(gradients) {
      const size = Math.abs(gradients.scale)
      gradients.forEach((p, _, address) => {
        const f = factor(p, size)
        if (f !== 1) multiply(p.backend, address, p.size, f)
      })
    },
  }
}

/** The number of units of a parameter: the last axis of a matrix, one for a vector. It is also the distance between elements of a unit. */
function unitsOf(p: Parameter): number {
  return p.shape.filter((d) => d !== 1).length < 2 ? 1 : p.shape[p.rank - 1]
}

function clipUnits(w: FloatArray, g: FloatArray, units: number, limit: number, epsilon: number, scale: number): void {
  for (let u = 0; u < units; u++) {
    const most = limit * Math.max(norm(w, u, units), epsilon)
    const now = norm(g, u, units) * scale
    if (now < most) continue
    const factor = most / Math.max(now, 1e-6)
    for (let i = u; i < g.length; i += units) g[i] *= factor
  }
}

function norm(x: FloatArray, start: number, stride: number): number {
  let sum = 0
  for (let i = start; i < x.length; i += stride) sum += x[i] * x[i]
  return Math.sqrt(sum)
}
