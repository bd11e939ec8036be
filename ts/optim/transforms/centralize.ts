import type { FloatArray } from '../../backend/heap.js'
import { readOptions, type Schema } from '../../common/options.js'
import type { GradientTransform } from '../base/gradients.js'

export const CENTRALIZE = {
  outputAxis: { is: ['first', 'last'], default: 'last' },
} satisfies Schema<NonNullable<Parameters<typeof centralize>[0]>>

/**
 * Gradient centralization (Yong et al. 2020): the gradient of each unit of a weight matrix loses its mean. A mild
 * regularizer; vectors stay as they are. `outputAxis` says which axis counts the units: 'last' for this library's layers,
 * 'first' for weights laid out as in PyTorch.
 *
 * @example new SGD(model.parameters(), { learningRate: 0.1, gradientTransforms: [centralize()] })
 */
export function centralize(options: { outputAxis?: 'first' | 'last' } = {}): GradientTransform {
  const { outputAxis } = readOptions('centralize', options, CENTRALIZE)
  return {
    name: 'centralize',
    apply(gradients) {
      gradients.forEach((p, g) => {
        if (p.rank < 2) return
        const units = p.shape[outputAxis === 'last' ? p.rank - 1 : 0]
        const inner = p.size / units
        for (let u = 0; u < units; u++) outputAxis === 'last' ? subtractMean(g, u, units, inner) : subtractMean(g, u * inner, 1, inner)
      })
    },
  }
}

function subtractMean(x: FloatArray, start: number, stride: number, n: number): void {
  let sum = 0
  for (let k = 0; k < n; k++) sum += x[start + k * stride]
  const mean = sum / n
  for (let k = 0; k < n; k++) x[start + k * stride] -= mean
}
