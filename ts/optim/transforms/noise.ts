import { withOthers } from '../../backend/families.js'
import { type Ptr, SCRATCH_BYTES } from '../../backend/kernels.js'
import { nonNegative, readOptions, type Schema, seed as seeded } from '../../common/options.js'
import type { GradientTransform } from '../base/gradients.js'
import type { ParameterGroup } from '../base/group.js'

export const ADD_NOISE = {
  eta: { is: nonNegative, default: 0.01 },
  gamma: { is: nonNegative, default: 0.55 },
  seed: { is: seeded, default: 0 },
} satisfies Schema<NonNullable<Parameters<typeof addNoise>[0]>>

/**
 * Gaussian noise that fades: g ← g + N(0, η / t^γ) (Neelakantan et al. 2015). Helps very deep nets to recover from bad initial weights.
 * Reproducible: the same seed gives the same noise on every backend.
 *
 * @example new SGD(model.parameters(), { learningRate: 0.1, gradientTransforms: [addNoise({ seed: 1 })] })
 */
export function addNoise(options: { eta?: number; gamma?: number; seed?: number } = {}): GradientTransform {
  const { eta, gamma, seed } = readOptions('addNoise', options, ADD_NOISE)
  let t = 0
  return {
    name: 'addNoise',
    apply({ groups, scale }) {
      const deviation = Math.sqrt(eta / (++t) ** gamma) / scale
      let chunk = 0
      for (const { spans, backend } of groups) for (const { g, n } of spans) chunk = addNormal(backend, g, n, deviation, seed, t, chunk)
    },
    state: () => ({ t }),
    loadState: (state) => (t = state.t),
  }
}

/** Adds noise through the scratch memory, chunk by chunk; each chunk has a random stream of its own. */
function addNormal(
  backend: ParameterGroup['backend'],
  g: Ptr,
  n: number,
  deviation: number,
  seed: number,
  t: number,
  chunk: number,
): number {
  const { heap } = backend
  const kernels = withOthers(backend)
  const most = SCRATCH_BYTES / heap.elementSize
  for (let done = 0; done < n; done += most) {
    const count = Math.min(most, n - done)
    kernels.randomNormal(heap.scratch, count, seed >>> 0, 0x6e6f6973, chunk++, t, 0, 1)
    kernels.addScaled(heap.scratch, g + done * heap.elementSize, count, deviation)
  }
  return chunk
}
