/** Every optimizer: its name and kernel, its state, edges of the numbers, defaults, and relations between methods. */
import { describe, expect, test } from 'vitest'
import type { FloatArray } from '../../ts/backend/heap.js'
import { createBackend } from '../../ts/backend/index.js'
import { Adam, AdamW, Lion, Momentum, type Optimizer, RMSProp, SGD } from '../../ts/index.js'
import type { OptimizerInternals } from '../../ts/optim/base/internals.js'
import * as optim from '../../ts/optim/index.js'
import { OPTIMIZERS, RAdam } from '../../ts/optim/index.js'
import { Parameter } from '../../ts/parameter.js'
import { fill, make, run } from '../tools/optim-parameters.js'
import { oracleCases } from '../tools/optim-problems.js'
import { backends } from '../tools/optim-runner.js'

const classes = Object.entries(OPTIMIZERS) as unknown as [string, new (parameters: Parameter[], options?: object) => Optimizer][]
const js = createBackend({ backend: 'js' })
const double = createBackend({ backend: 'js', dtype: 'float64' })

test.each(classes)('%s is public, says its name and finds its kernel', (name, Class) => {
  const remedy = 'see "An optimizer" in CONTRIBUTING.md'
  expect((optim as Record<string, unknown>)[name], `ts/optim/index.ts does not export ${name}; ${remedy}`).toBe(Class)
  // Minifiers rename classes, and saved states carry the name.
  const getter = Object.getOwnPropertyDescriptor(Class, 'name')?.get
  expect(getter?.call(Class), `${name} has no static getter of its name; ${remedy}`).toBe(name)
  const optimizer = new Class(make([[2, 2]], createBackend({ backend: 'wasm' })))
  const { kernel, values } = optimizer.groups[0]
  const wanted = (optimizer as unknown as OptimizerInternals).rule(values)?.kernel
  expect(
    kernel !== undefined,
    `kernel '${wanted}' is not found: its line in crate/optim/rules/mod.rs, make wasm, and the part of its rule; ${remedy}`,
  ).toBe(wanted !== undefined)
})

const SHAPES = [[3, 4], [5], [0], [1], [2, 7]]

describe.each(backends)('every optimizer on $name', ({ make: makeBackend }) => {
  const backend = makeBackend()

  test.each(classes)('%s: restoring a state mid-way gives the same bits', (_, Class) => {
    const [a, b] = [make(SHAPES, backend), make(SHAPES, backend)]
    const [straight, first] = [new Class(a), new Class(b)]
    run(straight, a, 12)
    run(first, b, 5)
    const saved = structuredClone(first.state())
    const second = new Class(b)
    second.loadState(saved)
    run(second, b, 7, 5)
    expect(b.map((p) => [...p.view()])).toEqual(a.map((p) => [...p.view()]))
    expect(second.stepCount).toBe(12)
  })

  test.each(classes)('%s: back at a state of before the first step, the steps are those of a new one to the bit', (_, Class) => {
    const [a, b] = [make(SHAPES, backend), make(SHAPES, backend)]
    const optimizer = new Class(a)
    const [fresh, start] = [structuredClone(optimizer.state()), a.map((p) => p.data())]
    run(optimizer, a, 4)
    optimizer.loadState(fresh)
    a.forEach((p, i) => p.view().set(start[i]))
    expect(run(optimizer, a, 4)).toEqual(run(new Class(b), b, 4))
  })

  test.each(classes)('%s: moves down a quadratic, and a parameter without gradient stays', (_, Class) => {
    const [p, still] = make([[4, 3], [6]], backend)
    const before = [...still.view()]
    const optimizer = new Class([p, still])
    const start = Math.hypot(...p.view())
    for (let k = 0; k < 30; k++) {
      p.gradientView().set(p.view())
      optimizer.step()
    }
    expect(Math.hypot(...p.view())).toBeLessThan(start)
    expect([...still.view()]).toEqual(before)
    expect(optimizer.groups.some((group) => group.parameters.some((q, i) => q === still && group.stepCountOf(i) === 0))).toBe(true)
  })

  test.each(classes)('%s: zero, denormal and huge gradients leave finite numbers', (_, Class) => {
    for (const size of [0, 1e-40, 1e-30, 1e18]) {
      const [p] = make([[9]], backend)
      const optimizer = new Class([p])
      for (let k = 0; k < 3; k++) {
        p.gradientView().fill(size)
        optimizer.step()
      }
      expect([...p.view()].every(Number.isFinite), `gradient ${size}`).toBe(true)
    }
  })

  test('RAdam: a gradient whose square is infinite gives no NaN in the steps that do not look at it', () => {
    const [p] = make([[9]], backend)
    const optimizer = new RAdam([p])
    for (let k = 0; k < 5; k++) {
      p.gradientView().fill(backend.dtype === 'float64' ? 1e160 : 1e20)
      optimizer.step()
    }
    expect(p.view().every(Number.isFinite)).toBe(true)
  })

  test.each(classes)('%s: maximize on −f is minimize on f', (_, Class) => {
    const [a, b] = [make(SHAPES, backend), make(SHAPES, backend)]
    const [down, up] = [new Class(a), new Class(b, { maximize: true })]
    for (let k = 0; k < 6; k++) {
      fill(a, k)
      fill(b, k)
      for (const p of b) p.gradientView().forEach((g, i, all) => (all[i] = -g))
      down.step()
      up.step()
    }
    expect(b.map((p) => [...p.view()])).toEqual(a.map((p) => [...p.view()]))
  })

  test.each(classes)('%s: arrays of your own, stepped in place, are the same as parameters', (_, Class) => {
    const parameters = make([[6], [3]], backend)
    const floats = (values: FloatArray) => (backend.dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values))
    const arrays = parameters.map((p) => ({ value: floats(p.view()), gradient: floats(p.view()), name: p.name }))
    const [a, b] = [new Class(parameters), new Class(arrays as unknown as Parameter[], { backend })]
    for (let k = 0; k < 4; k++) {
      fill(parameters, k)
      for (const [i, p] of parameters.entries()) arrays[i].gradient.set(p.grad!.data())
      a.step()
      b.step()
    }
    expect(arrays.map(({ value }) => [...value])).toEqual(parameters.map((p) => [...p.view()]))
  })

  // Bases of rank-deficient statistics are arbitrary: soap.test.ts compares SOAP with statistics of full rank.
  const compared = backend.name === 'wasm' ? classes.filter(([name]) => name !== 'SOAP') : []
  test.each(compared)('%s: the kernel agrees with its readable rule', (name, Class) => {
    for (const options of name === 'SparseAdam' ? [{}] : [{}, { weightDecay: 0.1 }]) {
      const [a, b] = [make([[37], [8, 5]], backend), make([[37], [8, 5]], js)]
      const [fused, readable] = [run(new Class(a, options), a, 10), run(new Class(b, options), b, 10)]
      fused.forEach((value, i) =>
        expect(Math.abs(value - readable[i])).toBeLessThanOrEqual((name === 'Shampoo' ? 1e-3 : 3e-6) * Math.max(1, Math.abs(readable[i]))),
      )
    }
  })
})

describe('defaults are PyTorch’s, else the authors’', () => {
  const pinned: Record<string, object> = {
    SGD: { learningRate: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false },
    Momentum: { learningRate: 1e-3, beta: 0.9, form: 'ema', biasCorrection: false },
    Nesterov: { learningRate: 1e-3, momentum: 0.9, nesterov: true },
    RMSProp: { learningRate: 0.01, beta: 0.99, epsilon: 1e-8, weightDecay: 0, momentum: 0, centered: false, epsilonPlacement: 'outside' },
    Adam: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, amsgrad: false, epsilonPlacement: 'outside' },
    AdamW: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, decoupledWeightDecay: true },
    Adagrad: { learningRate: 0.01, learningRateDecay: 0, weightDecay: 0, initialAccumulator: 0, epsilon: 1e-10 },
    Adadelta: { learningRate: 1, rho: 0.9, epsilon: 1e-6, weightDecay: 0 },
    Adamax: { learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    NAdam: { learningRate: 2e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentumDecay: 4e-3, weightDecay: 0 },
    RAdam: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    ASGD: { learningRate: 0.01, lambda: 1e-4, power: 0.75, averageFrom: 1e6, weightDecay: 0 },
    Rprop: { learningRate: 0.01, etaMinus: 0.5, etaPlus: 1.2, minimumStep: 1e-6, maximumStep: 50 },
    Lion: { learningRate: 1e-4, beta1: 0.9, beta2: 0.99, weightDecay: 0 },
    SignSGD: { learningRate: 1e-3 },
    Signum: { learningRate: 1e-3, beta: 0.9 },
    AdaBelief: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-16, epsilonRoot: 1e-16 },
    Yogi: { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-3, initialAccumulator: 1e-6 },
    Adan: { learningRate: 1e-3, beta1: 0.98, beta2: 0.92, beta3: 0.99, epsilon: 1e-8, weightDecayForm: 'proximal' },
    ADOPT: { learningRate: 1e-3, beta1: 0.9, beta2: 0.9999, epsilon: 1e-6, clip: true },
    AdEMAMix: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, beta3: 0.9999, alpha: 5, epsilon: 1e-8 },
    ScheduleFreeSGD: { learningRate: 1, momentum: 0.9, warmupSteps: 0, averagePower: 0, weightPower: 2, weightDecay: 0 },
    ScheduleFreeAdamW: { learningRate: 2.5e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, warmupSteps: 0, averagePower: 0, weightPower: 2 },
    Prodigy: { learningRate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, initialDistance: 1e-6, biasCorrection: false, weightDecay: 0 },
    DoG: { learningRate: 1, epsilon: 1e-8, weightDecay: 0 },
    LARS: { momentum: 0.9, trustCoefficient: 1e-3, epsilon: 0, nesterov: false },
    LAMB: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecay: 0 },
    Adafactor: { learningRate: 0.01, beta2Decay: -0.8, epsilon1: 0, epsilon2: 1e-3, clipThreshold: 1, weightDecay: 0 },
    Muon: {
      learningRate: 1e-3,
      momentum: 0.95,
      nesterov: true,
      weightDecay: 0.1,
      iterations: 5,
      normEpsilon: 1e-7,
      companionWeightDecay: 0,
    },
    SparseAdam: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, epsilonPlacement: 'hat' },
    SOAP: { learningRate: 3e-3, beta1: 0.95, beta2: 0.95, beta: 0.95, epsilon: 1e-8, basisEvery: 10, weightDecay: 0.01 },
    Shampoo: { epsilon: 1e-4, beta: 1, rootEvery: 1 },
  }

  const ofOracles = (name: string) =>
    [...oracleCases.values()].find(({ gradus }) => gradus?.optimizer === name && gradus.defaults)?.gradus?.defaults

  test.each(classes)('%s', (name, Class) => {
    const wanted = pinned[name] ?? ofOracles(name)
    expect(
      wanted,
      `defaults of the reference for ${name}: give its case in test/oracles/optimizers.py gradus=dict(optimizer='${name}', defaults=dict(...)) ` +
        "and run `python optimizers.py --only ID` there (checklist: 'An optimizer' in CONTRIBUTING.md)",
    ).toBeDefined()
    expect((Class as unknown as typeof Optimizer).defaults).toMatchObject(wanted as object)
  })
})

describe('relations between methods', () => {
  const same = (a: [Optimizer, Parameter[]], b: [Optimizer, Parameter[]], steps = 20) => {
    const [left, right] = [run(a[0], a[1], steps), run(b[0], b[1], steps)]
    left.forEach((value, i) => expect(Math.abs(value - right[i])).toBeLessThanOrEqual(1e-13))
  }
  const pair = () => [make(SHAPES, double), make(SHAPES, double)] as const

  test('exponentially weighted momentum is SGD with momentum and η·(1 − β)', () => {
    const [a, b] = pair()
    same([new Momentum(a, { learningRate: 0.1 }), a], [new SGD(b, { learningRate: 0.01, momentum: 0.9 }), b])
  })

  test('AdamW without decay is Adam', () => {
    const [a, b] = pair()
    same([new AdamW(a, { weightDecay: 0 }), a], [new Adam(b), b])
  })

  test('AdamW at zero gradients shrinks by exactly (1 − η·λ)^t', () => {
    const [p] = make([[5]], double)
    const before = [...p.view()]
    const optimizer = new AdamW([p], { learningRate: 0.1, weightDecay: 0.2 })
    for (let k = 0; k < 7; k++) {
      p.gradientView().fill(0)
      optimizer.step()
    }
    p.view().forEach((value, i) => expect(value).toBeCloseTo(before[i] * 0.98 ** 7, 14))
  })

  test.each([
    [Adam, { epsilon: 0 }],
    [RMSProp, { epsilon: 0 }],
    [Lion, {}],
  ] as const)('%o does not see the scale of gradients', (Class, options) => {
    const [a, b] = pair()
    const optimizers = [new (Class as typeof Adam)(a, options), new (Class as typeof Adam)(b, options)]
    for (let k = 0; k < 10; k++) {
      for (const [i, parameters] of [a, b].entries()) {
        for (const p of parameters) p.gradientView().forEach((_, j, g) => (g[j] = (i === 0 ? 1 : 1024) * Math.sin(1 + j + k)))
        optimizers[i].step()
      }
    }
    expect(a.map((p) => [...p.view()])).toEqual(b.map((p) => [...p.view()]))
  })

  test('accumulated micro-batches are one batch', () => {
    const [a, b] = pair()
    const [one, many] = [new Adam(a), new Adam(b)]
    fill(a, 0)
    one.step()
    fill(b, 0, 4)
    many.step({ gradientScale: 0.25 })
    expect(a.map((p) => [...p.view()])).toEqual(b.map((p) => [...p.view()]))
  })

  test('order and grouping of parameters do not matter', () => {
    const [a, b] = pair()
    const forwards = new Adam(a)
    const backwards = new Adam([{ parameters: [b[4], b[1]] }, { parameters: [b[3], b[0], b[2]] }])
    run(forwards, a, 5)
    run(backwards, b, 5)
    expect(a.map((p) => [...p.view()])).toEqual(b.map((p) => [...p.view()]))
  })

  test.each(['outside', 'inside', 'hat'] as const)('ε %s is told from the others', (epsilonPlacement) => {
    const others = (['outside', 'inside', 'hat'] as const).filter((placement) => placement !== epsilonPlacement)
    const results = [epsilonPlacement, ...others].map((placement) => {
      const p = make([[8]], double)
      return run(new Adam(p, { epsilon: 1e-3, epsilonPlacement: placement }), p, 3, 0, 1e-2)
    })
    for (const other of results.slice(1))
      expect(Math.max(...results[0].map((value, i) => Math.abs(value - other[i])))).toBeGreaterThan(1e-5)
  })
})

describe.each(backends)('fault: decoupled decay near the last bit of a parameter, on $name', ({ make: makeBackend, double: isDouble }) => {
  const backend = makeBackend()
  const start = Float32Array.from({ length: 1000 }, (_, i) => 1 + i / 1000)

  /** The mean shrinkage of a parameter per step of AdamW without a gradient, divided by the expected shrinkage. */
  function shrinkage(decay: number, steps: number): number {
    const p = new Parameter(start, { backend })
    const optimizer = new AdamW([p], { learningRate: 1e-3, weightDecay: decay / 1e-3 })
    for (let k = 0; k < steps; k++) {
      p.gradientView().fill(0)
      optimizer.step()
    }
    const logarithms = Array.from(p.data(), (value, i) => Math.log(start[i] / value))
    return logarithms.reduce((total, value) => total + value, 0) / (start.length * steps * decay)
  }

  test('1e-6 a step is kept to half a percent, where the rounding of 1 − 1e-6 alone takes 1.3 %', () => {
    expect(Math.abs((1 - Math.fround(1 - 1e-6)) / 1e-6 - 1)).toBeGreaterThan(0.013)
    expect(Math.abs(shrinkage(1e-6, 100) - 1)).toBeLessThan(0.005)
  })

  test('1e-8 a step is lost in float32, as in PyTorch, and kept in double precision', () => {
    expect(Math.fround(1 - 1e-8)).toBe(1)
    const kept = shrinkage(1e-8, 10)
    if (isDouble) expect(kept).toBeCloseTo(1, 5)
    else expect(kept).toBe(0)
  })
})
