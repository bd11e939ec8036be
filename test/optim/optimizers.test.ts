/** What all optimizers share: groups, absent gradients, state, errors, and relations between methods. */
import { describe, expect, test, vi } from 'vitest'
import type { FloatArray } from '../../ts/backend/heap.js'
import { type Backend, createBackend } from '../../ts/backend/index.js'
import * as gradus from '../../ts/index.js'
import {
  Adam,
  AdamW,
  Lion,
  Momentum,
  Muon,
  NAdam,
  OPTIMIZERS,
  Optimizer,
  RAdam,
  RMSProp,
  SGD,
  square,
  sum,
  WeightAverage,
} from '../../ts/index.js'
import { Parameter } from '../../ts/parameter.js'
import { oracleCases } from '../tools/optim-problems.js'
import { backends } from '../tools/optim-runner.js'

const classes = Object.entries(OPTIMIZERS) as unknown as [string, new (parameters: Parameter[], options?: object) => Optimizer][]
const js = createBackend({ backend: 'js' })
const double = createBackend({ backend: 'js', dtype: 'float64' })

function make(shapes: number[][], backend: Backend): Parameter[] {
  let k = 0
  return shapes.map((shape, i) => {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.sin(++k * 12.9898))
    return new Parameter(values, { shape, name: `p${i}`, backend })
  })
}

/** The same gradients for the same k and parameter. */
function fill(parameters: readonly Parameter[], k: number, scale = 1): void {
  for (const [i, p] of parameters.entries()) {
    const g = p.gradientView()
    for (let j = 0; j < g.length; j++) g[j] = scale * (Math.sin(1 + j + 7 * k + 3 * i) + 0.1 * p.view()[j])
  }
}

function run(optimizer: Optimizer, parameters: readonly Parameter[], steps: number, from = 0, scale = 1): number[] {
  for (let k = from; k < from + steps; k++) {
    fill(parameters, k, scale)
    optimizer.step()
  }
  return parameters.flatMap((p) => [...p.view()])
}

test.each(classes)('%s is public, says its name and finds its kernel', (name, Class) => {
  const remedy = 'see "An optimizer" in CONTRIBUTING.md'
  expect((gradus as Record<string, unknown>)[name], `ts/index.ts does not export ${name}; ${remedy}`).toBe(Class)
  // Minifiers rename classes, and saved states carry the name.
  const getter = Object.getOwnPropertyDescriptor(Class, 'name')?.get
  expect(getter?.call(Class), `${name} has no static getter of its name; ${remedy}`).toBe(name)
  const optimizer = new Class(make([[2, 2]], createBackend({ backend: 'wasm' })))
  const { kernel, values } = optimizer.groups[0]
  const wanted = (optimizer as unknown as { kernel(options: object): string | undefined }).kernel(values)
  expect(
    kernel !== undefined,
    `kernel '${wanted}' is not found: its line in crate/optim/rules.rs, make wasm, and static part; ${remedy}`,
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

  test.each(classes)('%s: zero, denormal and huge gradients give no NaN', (_, Class) => {
    for (const size of [0, 1e-40, 1e-30, 1e18]) {
      const [p] = make([[9]], backend)
      const optimizer = new Class([p])
      for (let k = 0; k < 3; k++) {
        p.gradientView().fill(size)
        optimizer.step()
      }
      expect([...p.view()].some(Number.isNaN), `gradient ${size}`).toBe(false)
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

  test.each(classes)('%s: the kernel agrees with its readable rule', (name, Class) => {
    // Bases of rank-deficient statistics are arbitrary: optim.soap.test.ts compares SOAP where they are not.
    if (backend.name !== 'wasm' || name === 'SOAP') return
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

describe('steps', () => {
  test('without any gradient: an error that says what to do', () => {
    const optimizer = new Adam(make([[2]], js))
    expect(() => optimizer.step()).toThrow('Adam.step(): no parameter has a gradient; call backward()')
    expect(optimizer.stepCount).toBe(0)
  })

  test('a used gradient is none', () => {
    const p = make([[2]], js)
    const optimizer = new SGD(p)
    run(optimizer, p, 1)
    expect(p[0].gradientState).toBe('used')
    expect(p[0].grad).not.toBeNull()
    expect(() => optimizer.step()).toThrow('call backward()')
    optimizer.zeroGrad()
    expect(p[0].grad).toBeNull()
  })

  test('frozen parameters are skipped and join later with a bias correction of their own', () => {
    const [a, b] = make([[3], [3]], double)
    const alone = make([[3], [3]], double)[1]
    b.requiresGrad = false
    const optimizer = new Adam([a, b], { weightDecay: 0.5 })
    const frozen = [...b.view()]
    run(optimizer, [a, b], 3)
    expect([...b.view()]).toEqual(frozen)
    b.requiresGrad = true
    const reference = new Adam([alone], { weightDecay: 0.5 })
    for (let k = 0; k < 3; k++) {
      for (const p of [b, alone]) p.gradientView().fill(0.3 + k)
      a.gradientView().fill(0)
      optimizer.step()
      reference.step()
    }
    expect([...b.view()]).toEqual([...alone.view()])
    expect(optimizer.groups[0].stepCountOf(0)).toBe(6)
    expect(optimizer.groups[0].stepCountOf(1)).toBe(3)
  })

  test('parameters that another optimizer laid out anew are followed', () => {
    const [a, b] = [make([[3], [4], [5]], js), make([[3], [4], [5]], js)]
    const optimizer = new Adam(a)
    const reference = new Adam(b)
    run(optimizer, a, 2)
    new SGD([a[2], a[0]])
    run(optimizer, a, 2, 2)
    run(reference, b, 4)
    expect(a.map((p) => [...p.view()])).toEqual(b.map((p) => [...p.view()]))
  })

  test('a memory that grows between steps', () => {
    const backend = createBackend({ backend: 'js' })
    const [a, b] = [make([[3], [4]], backend), make([[3], [4]], js)]
    const [optimizer, reference] = [new Adam(a), new Adam(b)]
    run(optimizer, a, 2)
    backend.heap.allocate(32 << 20)
    run(optimizer, a, 2, 2)
    run(reference, b, 4)
    expect(a.map((p) => [...p.view()])).toEqual(b.map((p) => [...p.view()]))
  })

  test('with backpropagation', () => {
    const w = new Parameter([1, 2, 3], { name: 'w', backend: js })
    const optimizer = new Adam([w], { learningRate: 0.1 })
    for (let k = 0; k < 200; k++) {
      sum(square(w)).backward()
      optimizer.step()
    }
    expect(Math.hypot(...w.view())).toBeLessThan(0.05)
  })
})

describe('groups and options', () => {
  const two = () => {
    const [w, b] = make([[3], [3]], double)
    return {
      w,
      b,
      optimizer: new AdamW(
        [
          { parameters: [w], name: 'weights' },
          { parameters: [b], weightDecay: 0, learningRate: 0 },
        ],
        { learningRate: 0.1 },
      ),
    }
  }

  test('override the optimizer’s, change at any step; a group with learning rate 0 stays', () => {
    const { w, b, optimizer } = two()
    const before = [...b.view()]
    run(optimizer, [w, b], 2)
    expect([...b.view()]).toEqual(before)
    expect(optimizer.groups.map(({ name }) => name)).toEqual(['weights', ''])
    expect(optimizer.groups.map(({ options }) => options.weightDecay)).toEqual([0.01, 0])
    optimizer.learningRate = 0.5
    expect(optimizer.groups.map(({ options }) => options.learningRate)).toEqual([0.5, 0.5])
    optimizer.groups[1].options.beta1 = 0.5
    run(optimizer, [w, b], 1, 2)
    expect([...b.view()]).not.toEqual(before)
  })

  test.each([
    [{ learningRate: -1 }, 'Adam: learningRate wants a finite number ≥ 0, got -1'],
    [{ learningRate: NaN }, 'learningRate wants a finite number ≥ 0, got NaN'],
    [{ learningRate: '0.1' }, "learningRate wants a finite number ≥ 0, got '0.1'"],
    [{ beta1: 1 }, 'beta1 wants a number in [0, 1), got 1'],
    [{ epsilon: -1e-8 }, 'epsilon wants a finite number ≥ 0, got -1e-8'],
    [{ weightDecay: -0.1 }, 'weightDecay wants a finite number ≥ 0, got -0.1'],
    [{ epsilonPlacement: 'middle' }, "epsilonPlacement wants 'outside', 'inside' or 'hat', got 'middle'"],
    [{ amsgrad: 1 }, 'amsgrad wants true or false, got 1'],
    [{ clipNorm: 0 }, 'clipNorm wants a finite number > 0, got 0'],
    [{ lr: 0.1 }, "Adam: there is no option 'lr'; did you mean learningRate?"],
    [{ learningrate: 0.1 }, 'did you mean learningRate?'],
    [{ weight_decay: 0.1 }, 'did you mean weightDecay?'],
    [{ beta: 0.1 }, 'did you mean beta'],
    [{ frobnicate: 0.1 }, 'Options: amsgrad,'],
  ])('%o', (options, message) => {
    expect(() => new Adam(make([[1]], js), options as object)).toThrow(message)
  })

  test('are checked when they change, too, and stay as they were', () => {
    const optimizer = new Adam(make([[1]], js))
    expect(() => (optimizer.learningRate = -1)).toThrow('learningRate wants')
    expect(() => (optimizer.groups[0].options.amsgrad = true)).toThrow('amsgrad cannot change like that later on')
    expect(optimizer.groups[0].options.amsgrad).toBe(false)
    expect(optimizer.learningRate).toBe(1e-3)
  })

  test('what does not go together', () => {
    const p = make([[1]], js)
    expect(() => new SGD(p, { nesterov: true })).toThrow('nesterov wants momentum > 0')
    expect(() => new SGD(p, { nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow('dampening 0')
    expect(() => new AdamW(p, { decoupledWeightDecay: false } as object)).toThrow('AdamW: decoupledWeightDecay wants true, got false')
  })

  test('parameters that cannot be', () => {
    const [a, b] = make([[1], [1]], js)
    const [other] = make([[1]], double)
    expect(() => new Adam([])).toThrow('Adam: there are no parameters')
    expect(() => new Adam([a, a])).toThrow("parameter 'p0' is twice in one group")
    expect(() => new Adam([{ parameters: [a, b] }, { parameters: [b] }])).toThrow("parameter 'p1' is in two groups")
    expect(() => new Adam([a, other])).toThrow("parameter 'p0' lives on another backend")
    expect(() => new Adam([a, { parameters: [b] }])).toThrow('not both')
    expect(() => new Adam([5 as unknown as Parameter])).toThrow('wants parameters')
    expect(() => new Adam([{ value: new Float32Array(2), gradient: new Float32Array(3), name: 'w' }])).toThrow(
      "'w': value has 2 elements, gradient has 3",
    )
    expect(() => new Adam([{ parameters: [] }])).toThrow('group 0 has no parameters')
    expect(() => new Adam([{ parameters: [a], learningRat: 1 } as object as { parameters: Parameter[] }])).toThrow(
      'did you mean learningRate?',
    )
  })

  test('a state of something else', () => {
    const [a, b] = [make([[2]], js), make([[3]], js)]
    expect(() => new Adam(a).loadState(new SGD(b).state())).toThrow('this is the state of SGD')
    expect(() => new Adam(a).loadState(new Adam(b).state())).toThrow('the state is of parameters with 3 values, these have 2')
    expect(() => new Adam(a).loadState({} as never)).toThrow('no state of an optimizer')
    expect(() => new SGD(a).loadState(new SGD(b).state())).toThrow(
      'SGD.loadState(): the state is of parameters with 3 values, these have 2',
    )
    const damaged = structuredClone(new Adam(a).state())
    damaged.groups[0].parameters[0].slots.m = Float32Array.of(1)
    expect(() => new Adam(a).loadState(damaged)).toThrow("'p0' wants 2 values of slot 'm', the state has 1")
  })

  test('a state whose options go together is taken, though they do not go with those that are there', () => {
    const saved = { momentum: 0.9, dampening: 0.5, learningRate: 0.3 }
    const optimizer = new SGD(make([[2]], js), { momentum: 0.9, nesterov: true })
    optimizer.loadState(new SGD(make([[2]], js), saved).state())
    expect(optimizer.groups[0].options).toMatchObject({ ...saved, nesterov: false })
  })

  test.each([
    [
      'options that want other slots',
      Adam,
      { amsgrad: true },
      'the state has other options and so other slots, m, v, vMax, the optimizer m, v',
    ],
    ['slots where there were none', SGD, { momentum: 0.9 }, 'other slots, momentum, the optimizer none'],
    ['an option that is not allowed', Adam, { beta1: 2 }, 'Adam: beta1 wants a number in [0, 1), got 2'],
    ['options that do not go together', SGD, { nesterov: true }, 'SGD: nesterov wants momentum > 0'],
    ['an option that there is not', Adam, { beta9: 0.1 }, "Adam: there is no option 'beta9'"],
  ] as [string, typeof Adam, object, string][])('a state with %s is refused, and nothing was changed', (_, Class, wrong, message) => {
    const two = (learningRate: number) => {
      const [a, b] = make([[2], [3]], js)
      return new Class([{ parameters: [a] }, { parameters: [b] }], { learningRate })
    }
    const state = structuredClone(two(0.5).state())
    Object.assign(state.groups[1].options, wrong)
    const optimizer = two(0.25)
    run(
      optimizer,
      optimizer.groups.flatMap(({ parameters }) => [...parameters]),
      2,
    )
    const before = structuredClone(optimizer.state())
    expect(() => optimizer.loadState(state)).toThrow(message)
    expect(optimizer.state()).toEqual(before)
  })

  test('JSON writes null for an option that is infinite', () => {
    const optimizer = new NAdam(make([[2]], js), { momentumDecay: Infinity })
    optimizer.loadState(JSON.parse(JSON.stringify(optimizer.state())))
    expect(optimizer.groups[0].options.momentumDecay).toBe(Infinity)
  })
})

describe('an optimizer of one’s own', () => {
  class Hyperbolic extends Optimizer<{ learningRate?: number; weightDecay?: number }> {
    static override readonly defaults = { learningRate: 0.1, weightDecay: 0 }
    protected override slots() {
      return ['mean']
    }
    protected override hyper({ learningRate }: { learningRate: number }, t: number) {
      return [learningRate, 1 / t]
    }
    protected override update(p: FloatArray, g: FloatArray, [mean]: FloatArray[], [learningRate, take]: readonly number[]) {
      for (let i = 0; i < p.length; i++) {
        mean[i] += take * (g[i] - mean[i])
        p[i] -= learningRate * Math.tanh(mean[i])
      }
    }
  }
  class Reversed extends Adam {
    protected override update(p: FloatArray, g: FloatArray): void {
      for (let i = 0; i < p.length; i++) p[i] += g[i]
    }
  }

  test.each(backends)('runs on $name, with groups, decay and state', ({ make: makeBackend }) => {
    const p = make([[4], [3, 3]], makeBackend())
    const optimizer = new Hyperbolic([{ parameters: [p[0]] }, { parameters: [p[1]], weightDecay: 0.1 }], { clipNorm: 1 })
    run(optimizer, p, 10)
    expect(Object.keys(optimizer.state().groups[0].parameters[0].slots)).toEqual(['mean'])
    expect(optimizer.state().groups[1].options.weightDecay).toBe(0.1)
  })

  test.each(backends)('a subclass with another rule does not run the kernel of its parent on $name', ({ make: makeBackend }) => {
    const [p] = make([[4]], makeBackend())
    p.view().fill(1)
    const optimizer = new Reversed([p])
    p.gradientView().fill(2)
    optimizer.step()
    expect([...p.view()]).toEqual([3, 3, 3, 3])
  })
})

describe.each(backends)('fault: decoupled decay near the last bit of a parameter, on $name', ({ make: makeBackend, double: isDouble }) => {
  const backend = makeBackend()
  const start = Float32Array.from({ length: 1000 }, (_, i) => 1 + i / 1000)

  /** Mean of how much a parameter shrinks in a step of AdamW without a gradient, over what it should. */
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

describe('Muon', () => {
  test('gives what is not a matrix to AdamW', () => {
    const p = make([[4, 6], [6], [6, 2], [2]], double)
    const optimizer = new Muon([{ parameters: p.slice(0, 2) }, { parameters: p.slice(2), method: 'adamw' }], { companionLearningRate: 0.5 })
    expect(
      optimizer.groups.map(({ parameters, options }) => [parameters.map(({ name }) => name), options.method, options.learningRate]),
    ).toEqual([
      [['p0'], 'muon', 1e-3],
      [['p1'], 'adamw', 0.5],
      [['p2', 'p3'], 'adamw', 0.5],
    ])
    expect(() => new Muon([{ parameters: p.slice(0, 2), method: 'muon' }])).toThrow(
      "Muon: parameter 'p1' is no matrix; leave method at 'auto'",
    )
    const array = { value: new Float32Array(2), gradient: new Float32Array(2), name: 'bias' }
    expect(() => new Muon([array], { method: 'muon' })).toThrow("Muon: parameter 'bias' is no matrix")
  })
})

describe('WeightAverage', () => {
  test('ema and mean', () => {
    const [p] = make([[1]], double)
    const [ema, mean] = [new WeightAverage([p], { decay: 0.75 }), new WeightAverage([p], { form: 'mean' })]
    for (const value of [4, 8, 0]) {
      p.view().fill(value)
      ema.update()
      mean.update()
    }
    expect(ema.averages()[0][0]).toBe(3.75)
    expect(mean.averages()[0][0]).toBe(4)
    expect(mean.evaluate(() => p.view()[0])).toBe(4)
    expect(p.view()[0]).toBe(0)
    expect(() => ema.evaluate(async () => 1)).toThrow('wants a function that is not asynchronous, got a Promise')
    expect(p.view()[0]).toBe(0)
  })
})

test('a step that is not finite can be skipped: counted, one warning, nothing changed', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const p = make([[3], [3]], js)
  const optimizer = new Adam(p, { skipNonFinite: true })
  run(optimizer, p, 1)
  const [before, state] = [p.map((q) => [...q.view()]), JSON.stringify(optimizer.state().groups)]
  for (const bad of [NaN, Infinity]) {
    fill(p, 1)
    p[1].gradientView()[2] = bad
    optimizer.step()
  }
  expect(p.map((q) => [...q.view()])).toEqual(before)
  expect(JSON.stringify(optimizer.state().groups)).toBe(state)
  expect(optimizer.skippedSteps).toBe(2)
  expect(optimizer.stepCount).toBe(1)
  expect(warn).toHaveBeenCalledTimes(1)
  expect(warn.mock.calls[0][0]).toContain('the gradient of p1 is not finite')
  warn.mockRestore()
})
