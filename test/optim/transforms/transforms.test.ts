/** Gradient transforms against torch.nn.utils and optax, and known wrong results that no optimizer may reproduce. */
import { describe, expect, test } from 'vitest'
import { createBackend } from '../../../ts/backend/index.js'
import { SCRATCH_BYTES } from '../../../ts/backend/kernels.js'
import { clipByNorm, clipGlobalNorm, type GradientTransform, SGD } from '../../../ts/index.js'
import { ADOPT, Adan, adaptiveClip, addNoise, centralize, clipByRms, clipByValue, Rprop } from '../../../ts/optim/index.js'
import { Parameter } from '../../../ts/parameter.js'
import { oracle, oracleCases } from '../../tools/optim-problems.js'
import { backends, follow, type Make } from '../../tools/optim-runner.js'

const clipping = oracle.clipping

/** The gradient that an update with this transform uses: p before minus p after a step of plain descent with η = 1. */
function transformed(transform: GradientTransform, backend = createBackend({ backend: 'js', dtype: 'float64' })): number[][] {
  const parameters = clipping.g.map((_: number[], i: number) => {
    const p = new Parameter(Float64Array.from(clipping.p[i]), { shape: clipping.shapes[i], name: `p${i}`, backend })
    p.gradientView().set(clipping.g[i])
    return p
  }) as Parameter[]
  const before = parameters.map((p) => p.data())
  new SGD(parameters, { learningRate: 1, gradientTransforms: [transform] }).step()
  return parameters.map((p, i) => [...p.view()].map((value, k) => before[i][k] - value))
}

const TRANSFORMS: [string, GradientTransform][] = [
  ['optax.clip_by_global_norm(2)', clipGlobalNorm(2, { epsilon: 0 })],
  ['optax.clip_by_global_norm(100)', clipGlobalNorm(100, { epsilon: 0 })],
  ['optax.clip(1)', clipByValue(1)],
  ['torch.clip_grad_value_(1)', clipByValue(1)],
  ['optax.clip_by_block_rms(0.5)', clipByRms(0.5)],
  ['optax.adaptive_grad_clip(0.1)', adaptiveClip(0.1)],
  ['optax.centralize', centralize({ outputAxis: 'first' })],
  ['torch.clip_grad_norm_(2,p=2.0)', clipGlobalNorm(2)],
  ['torch.clip_grad_norm_(2,p=1.0)', clipGlobalNorm(2, { norm: 1 })],
  ['torch.clip_grad_norm_(2,p=inf)', clipGlobalNorm(2, { norm: Infinity })],
  ['torch.clip_grad_norm_(2,p=3.0)', clipGlobalNorm(2, { norm: 3 })],
]

describe.each(backends)('on $name', ({ make, double }) => {
  const backend = make()
  test.each(TRANSFORMS)('%s', (name, transform) => {
    const expected: number[][] = clipping[name].g ?? clipping[name]
    for (const [i, row] of transformed(transform, backend).entries()) {
      for (const [k, value] of row.entries()) expect(Math.abs(value - expected[i][k])).toBeLessThanOrEqual(double ? 1e-12 : 1e-6)
    }
  })
})

/** Each transform with a limit that some of these gradients exceed, and some do not. */
const ALL: [string, () => GradientTransform][] = [
  ...TRANSFORMS.map(([name, transform]): [string, () => GradientTransform] => [name, () => transform]),
  ['clipByNorm', () => clipByNorm(1.5)],
  ['clipByRms', () => clipByRms(0.8)],
  ['centralize by the last axis', () => centralize()],
  ['addNoise', () => addNoise({ eta: 0.5, gamma: 0.6, seed: 7 })],
]

describe.each(backends)(
  'a gradient that the step multiplies is the same as one that was multiplied before, on $name',
  ({ make, double }) => {
    const backend = make()
    test.each(ALL)('%s', (_, transform) => {
      const moved = (own: number, ofStep: number) => {
        const parameters = [[3, 4], [5], [2, 3, 2]].map((shape, i) => {
          const p = Parameter.ofShape(shape, { name: `p${i}`, backend })
          p.view().forEach((_, k, all) => (all[k] = Math.cos(3 * i + k)))
          return p
        })
        const optimizer = new SGD(parameters, { learningRate: 1, gradientTransforms: [transform()] })
        return [0, 1, 2].flatMap((step) => {
          for (const [i, p] of parameters.entries())
            p.gradientView().forEach((_, k, all) => (all[k] = 2 * own * Math.sin(1 + 5 * i + k + step)))
          optimizer.step({ gradientScale: ofStep })
          return parameters.flatMap((p) => [...p.view()])
        })
      }
      const wanted = moved(1, 1)
      for (const scale of [0.25, 8, -2]) {
        const got = moved(1 / scale, scale)
        // noise of a negative scale is other noise, of the same size
        if (scale > 0 || !transform().name.startsWith('addNoise'))
          got.forEach((value, i) => expect(Math.abs(value - wanted[i]), `${scale}`).toBeLessThanOrEqual(double ? 1e-12 : 1e-5))
      }
    })
  },
)

test('centralize takes the mean of each unit: of columns, or of what is at an index of the first axis', () => {
  const backend = createBackend({ backend: 'js', dtype: 'float64' })
  const step = (outputAxis: 'first' | 'last') => {
    const p = Parameter.ofShape([2, 2, 3], { backend })
    p.gradientView().set([1, 2, 3, 4, 5, 6, 70, 80, 90, 10, 11, 15])
    new SGD([p], { learningRate: 1, gradientTransforms: [centralize({ outputAxis })] }).step()
    return [...p.view()].map((x) => Math.round(-1000 * x) / 1000 + 0)
  }
  expect(step('last')).toEqual([-20.25, -22.5, -25.5, -17.25, -19.5, -22.5, 48.75, 55.5, 61.5, -11.25, -13.5, -13.5])
  expect(step('first')).toEqual([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 24, 34, 44, -36, -35, -31])
})

test('noise is normal, differs from element to element, and goes on from one block of scratch memory to the next', () => {
  for (const { make } of backends) {
    const backend = make()
    const size = SCRATCH_BYTES / backend.heap.elementSize
    const p = Parameter.ofShape([2 * size + 5], { backend })
    p.gradientView().fill(0)
    new SGD([p], { learningRate: 1, gradientTransforms: [addNoise({ eta: 4, seed: 2 ** 31 + 5 })] }).step()
    const noise = [...p.view()]
    const moment = (k: number) => noise.reduce((sum, x) => sum + (x / 2) ** k, 0) / noise.length
    // four standard deviations of the moments of a standard normal distribution
    const n = Math.sqrt(noise.length)
    expect(Math.abs(moment(1)) * n).toBeLessThan(4)
    expect((Math.abs(moment(2) - 1) * n) / Math.sqrt(2)).toBeLessThan(4)
    expect((Math.abs(moment(4) - 3) * n) / Math.sqrt(96)).toBeLessThan(4)
    expect(new Set(noise).size).toBeGreaterThan(0.99 * noise.length)
    expect(noise.slice(-5).every((x) => x !== 0)).toBe(true)
  }
})

describe('transforms', () => {
  const js = createBackend({ backend: 'js' })
  const descend = (options: object, gradients: number[][]) => {
    const parameters = gradients.map((g, i) => {
      const p = Parameter.ofShape([g.length], { name: `p${i}`, backend: js })
      p.gradientView().set(g)
      return p
    })
    const groups = parameters.map((p) => ({ parameters: [p] }))
    new SGD(groups, { learningRate: 1, ...options }).step()
    return parameters
  }

  test('clipNorm takes the norm over all groups and writes no gradient', () => {
    const [a, b] = descend({ clipNorm: 1 }, [[3], [4]])
    expect([a.view()[0], b.view()[0]].map((x) => x.toFixed(5))).toEqual(['-0.60000', '-0.80000'])
    expect([a.grad!.item(), b.grad!.item()]).toEqual([3, 4])
  })

  test('clipNormPerParameter', () => {
    const [a, b] = descend({ clipNormPerParameter: 2 }, [[3], [1]])
    expect([a.view()[0], b.view()[0]]).toEqual([-2, -1])
    expect(clipByNorm(1).name).toBe('clipByNorm')
  })

  test('gradients are scaled before they are clipped', () => {
    const p = Parameter.ofShape([2], { backend: js })
    p.gradientView().set([8, 2])
    new SGD([p], { learningRate: 1, clipValue: 1 }).step({ gradientScale: 0.25 })
    expect([...p.view()]).toEqual([-1, -0.5])
  })

  test('noise: reproducible, of the announced size, fading, saved with the optimizer', () => {
    const noisy = (seed: number) => {
      const p = Parameter.ofShape([20_000], { backend: js })
      const optimizer = new SGD([p], { learningRate: 1, gradientTransforms: [addNoise({ eta: 0.04, gamma: 1, seed })] })
      const step = () => {
        p.view().fill(0)
        p.gradientView().fill(0)
        optimizer.step()
        return Math.sqrt([...p.view()].reduce((sum, x) => sum + x * x, 0) / p.size)
      }
      return { sizes: [step(), step(), step(), step()], first: p.view()[0], transforms: optimizer.state().transforms }
    }
    const { sizes, first, transforms } = noisy(1)
    sizes.forEach((size, t) => expect(size).toBeCloseTo(0.2 / Math.sqrt(t + 1), 2))
    expect(noisy(1).first).toBe(first)
    expect(noisy(2).first).not.toBe(first)
    expect(transforms).toEqual({ skippedSteps: 0, '0.t': 4 })
  })

  test.each([
    ["clipGlobalNorm: there is no option 'eps'; did you mean epsilon?", () => clipGlobalNorm(1, { eps: 0 } as object)],
    ['clipGlobalNorm: norm wants', () => clipGlobalNorm(1, { norm: -3 })],
    ['clipGlobalNorm: epsilon wants a finite number ≥ 0, got -1', () => clipGlobalNorm(1, { epsilon: -1 })],
    ["adaptiveClip: there is no option 'eps'; did you mean epsilon?", () => adaptiveClip(1, { eps: 0 } as object)],
    ['adaptiveClip: epsilon wants a finite number ≥ 0, got -1', () => adaptiveClip(1, { epsilon: -1 })],
    ["addNoise: there is no option 'std'", () => addNoise({ std: 1 } as object)],
    ["SGD.step(): there is no option 'scale'", () => descendBy({ scale: 2 })],
  ])('%s', (message, run) => {
    expect(run).toThrow(message)
  })

  /** A step with these options. */
  function descendBy(options: object): void {
    const p = Parameter.ofShape([1], { backend: js })
    p.gradientView().fill(1)
    try {
      new SGD([p]).step(options)
    } finally {
      expect([...p.view()]).toEqual([0])
    }
  }

  test.each([
    ['clipByValue', clipByValue],
    ['clipByNorm', clipByNorm],
    ['clipByRms', clipByRms],
    ['adaptiveClip', adaptiveClip],
  ] as const)('%s refuses a limit below 0', (name, make) => {
    expect(() => make(-1)).toThrow(`${name}: limit wants`)
  })

  test('bad limits are named', () => {
    expect(() => clipGlobalNorm(-1)).toThrow('clipGlobalNorm: limit wants a finite number ≥ 0, got -1')
    expect(() => new SGD([Parameter.ofShape([1], { backend: js })], { clipValue: NaN })).toThrow('SGD: clipValue wants')
  })
})

describe('known wrong results of other libraries are not ours', () => {
  const ROWS: [string, Make][] = [
    ['ox_adan', (s) => new Adan(s.parameters, { learningRate: s.learningRate })],
    ['ox_adan_wd', (s) => new Adan(s.parameters, { learningRate: s.learningRate, weightDecay: 0.05, weightDecayForm: 'decoupled' })],
    ['ox_rprop', (s) => new Rprop(s.parameters, { learningRate: s.learningRate })],
    ['adopt_t_variant', (s) => new ADOPT(s.parameters, { learningRate: s.learningRate, beta2: 0.99 })],
  ]

  test.each(ROWS)('%s', (id, make) => {
    for (const [problem, trajectory] of Object.entries(oracleCases.get(id)!.results)) {
      const { deviation } = follow(problem, trajectory, createBackend({ backend: 'js', dtype: 'float64' }), make)
      expect(deviation, `${id} on ${problem}`).toBeDefined()
    }
  })

  test('every mutation of the file has a row', () => {
    const known = [...oracleCases.values()].filter(({ compare }) => compare === 'mutation').map(({ id }) => id)
    expect(ROWS.map(([id]) => id).sort()).toEqual(known.sort())
  })
})
