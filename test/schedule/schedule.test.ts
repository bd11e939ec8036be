/** Schedules against torch.optim.lr_scheduler, optax and Keras: 41 values each, to 1e-12. */
import { describe, expect, test } from 'vitest'
import { createBackend } from '../../ts/backend/index.js'
import { SGD } from '../../ts/index.js'
import {
  constant,
  cosine,
  cosineRestarts,
  coslog,
  cyclic,
  exponential,
  flatCosine,
  interpolate,
  inverseSqrt,
  inverseTime,
  linear,
  multiStep,
  oneCycle,
  oneCycleMomentum,
  piecewise,
  polynomial,
  product,
  ReduceOnPlateau,
  type Schedule,
  Scheduler,
  sequence,
  stepDecay,
  warmup,
  warmupStableDecay,
} from '../../ts/schedule/index.js'
import { oracle } from '../tools/optim-problems.js'

const L = 0.1
const three = { steps: 42, shape: 'linear', threePhase: true, warmupFraction: 0.4 } as const

const SCHEDULES: Record<string, Schedule> = {
  'torch.ConstantLR': piecewise([0.05, L], [5]),
  'torch.LinearLR': linear(0.01, L, 10),
  'torch.StepLR': stepDecay(L, { every: 10, factor: 0.5 }),
  'torch.MultiStepLR': multiStep(L, { milestones: [5, 12, 12, 30], factor: 0.5 }),
  'torch.ExponentialLR': exponential(L, { factor: 0.95 }),
  'torch.PolynomialLR': polynomial(L, { steps: 30, power: 2 }),
  'torch.CosineAnnealingLR': cosine(L, { steps: 15, to: 0.001, afterwards: 'rise' }),
  'torch.CosineAnnealingWarmRestarts': cosineRestarts(L, { steps: 5, lengthen: 2, to: 0.001 }),
  'torch.CyclicLR.triangular': cyclic(0.01, L, { up: 6, down: 4 }),
  'torch.CyclicLR.triangular2': cyclic(0.01, L, { up: 6, mode: 'triangular2' }),
  'torch.CyclicLR.exp_range': cyclic(0.01, L, { up: 6, mode: 'exponential', gamma: 0.97 }),
  'torch.OneCycleLR.cos': oneCycle(L, { steps: 42 }),
  'torch.OneCycleLR.linear3': oneCycle(L, three),
  'torch.LambdaLR': inverseTime(L, { rate: 0.1 }),
  'torch.MultiplicativeLR': (step) => L * 0.9 ** Math.ceil(step / 2),
  'torch.SequentialLR': sequence([linear(0.01, L, 8), cosine(L, { steps: 30, afterwards: 'rise' })], [8]),
  'torch.ChainedScheduler': product(piecewise([0.5, 1], [4]), exponential(L, { factor: 0.9 })),
  'optax.polynomial_schedule': polynomial(L, { to: 0.01, power: 2, steps: 20, after: 5 }),
  'optax.piecewise_constant_schedule': piecewise([L, 0.05, 0.005], [10, 20]),
  'optax.piecewise_interpolate_schedule.cosine': interpolate(
    [
      [0, L],
      [10, 0.05],
      [30, 0.005],
    ],
    'cosine',
  ),
  'optax.exponential_decay': exponential(L, { factor: 0.5, every: 10, after: 3, limit: 0.02 }),
  'optax.exponential_decay.staircase': exponential(L, { factor: 0.5, every: 10, staircase: true }),
  'optax.cosine_decay_schedule': cosine(L, { steps: 30, to: 0.005, exponent: 1.5 }),
  'optax.cosine_onecycle_schedule': interpolate(
    [
      [0, L / 25],
      [12, L],
      [40, L / 25e4],
    ],
    'cosine',
  ),
  'optax.linear_onecycle_schedule': interpolate([
    [0, L / 25],
    [12, L],
    [34, L / 25],
    [40, L / 25e4],
  ]),
  'optax.warmup_cosine_decay_schedule': warmup(cosine(L, { steps: 30, to: 0.001 }), { steps: 8 }),
  'optax.warmup_exponential_decay_schedule': warmup(exponential(L, { factor: 0.5, every: 10 }), { steps: 8 }),
  'optax.sgdr_schedule': sequence(
    [warmup(cosine(L, { steps: 10 }), { steps: 2 }), warmup(cosine(0.05, { steps: 18 }), { steps: 2 })],
    [12],
  ),
  'keras.ExponentialDecay': exponential(L, { factor: 0.5, every: 10 }),
  'keras.InverseTimeDecay': inverseTime(L, { rate: 0.5, every: 10 }),
  'keras.PiecewiseConstantDecay': piecewise([L, 0.05, 0.01], [11, 21]),
  'keras.PolynomialDecay.cycle': polynomial(L, { steps: 12, to: 0.001, power: 2, cycle: true }),
  'keras.CosineDecay': warmup(cosine(L, { steps: 30, to: 0.005 }), { steps: 8 }),
  'keras.CosineDecayRestarts': cosineRestarts(L, { steps: 6, lengthen: 2, peakFactor: 0.5, to: 0.005 }),
}

const MOMENTA: Record<string, Schedule> = {
  'torch.CyclicLR.triangular': cyclic(0.9, 0.8, { up: 6, down: 4 }),
  'torch.CyclicLR.triangular2': cyclic(0.9, 0.8, { up: 6, mode: 'triangular2' }),
  'torch.CyclicLR.exp_range': cyclic(0.9, 0.8, { up: 6, mode: 'exponential', gamma: 0.97 }),
  'torch.OneCycleLR.cos': oneCycleMomentum({ steps: 42 }),
  'torch.OneCycleLR.linear3': oneCycleMomentum(three),
}

function expectClose(schedule: Schedule, expected: readonly number[]): void {
  for (const [step, value] of expected.entries()) expect(Math.abs(schedule(step) - value), `step ${step}`).toBeLessThanOrEqual(1e-12)
}

function optimizer(learningRate: number, groups = 1) {
  const arrays = Array.from({ length: groups }, () => ({ parameters: [{ value: new Float32Array(1), gradient: new Float32Array(1) }] }))
  return new SGD(arrays, { learningRate, momentum: 0.9, backend: createBackend({ backend: 'js' }) })
}

describe('oracles', () => {
  const PLATEAUS = ['torch.ReduceLROnPlateau', 'torch.ReduceLROnPlateau.abs_max']

  test('every sequence of the file has a test', () => {
    const known = Object.keys(oracle.schedules).filter((name) => oracle.schedules[name].lr)
    expect([...Object.keys(SCHEDULES), ...PLATEAUS].sort()).toEqual(known.sort())
  })

  test.each(Object.keys(SCHEDULES))('%s', (name) => expectClose(SCHEDULES[name], oracle.schedules[name].lr))
  test.each(Object.keys(MOMENTA))('momentum of %s', (name) => expectClose(MOMENTA[name], oracle.schedules[name].momentum))

  test.each([
    [PLATEAUS[0], { factor: 0.5, patience: 2, threshold: 0.01, cooldown: 2, minimum: 0.005 }],
    [PLATEAUS[1], { mode: 'max', factor: 0.5, patience: 1, threshold: 0.02, thresholdMode: 'absolute' }],
  ] as const)('%s', (name, options) => {
    const driven = optimizer(L)
    const plateau = new ReduceOnPlateau(driven, options)
    const { lr, metric } = oracle.schedules[name]
    for (const [step, value] of (metric as number[]).entries()) {
      expect(Math.abs(driven.learningRate - lr[step]), `step ${step}`).toBeLessThanOrEqual(1e-12)
      plateau.step(value)
    }
  })
})

describe('more of them', () => {
  test('inverseSqrt peaks at the end of the warm-up and then falls as one over the root', () => {
    const schedule = inverseSqrt(1, { warmupSteps: 4 })
    expect([0, 2, 4, 16].map(schedule)).toEqual([0, 0.5, 1, 0.5])
  })

  test('warmupStableDecay', () => {
    const schedule = warmupStableDecay(1, { warmupSteps: 2, stableSteps: 3, decaySteps: 4 })
    expect([0, 1, 2, 5, 6, 7, 9, 20].map(schedule)).toEqual([0, 0.5, 1, 1, 0.75, 0.5, 0, 0])
    expect(warmupStableDecay(1, { warmupSteps: 0, stableSteps: 0, decaySteps: 4, shape: 'sqrt' })(1)).toBe(0.5)
  })

  test('exponential warm-up', () => {
    const schedule = warmup(constant(1), { steps: 2, shape: 'exponential' })
    expect([0, 1, 2, 3].map(schedule)).toEqual([0.01, expect.closeTo(0.1, 12), 1, 1])
  })

  test('one cycle of a few steps is what PyTorch makes of it: it begins where phases are over', () => {
    const arc = (from: number, to: number, x: number) => to + ((from - to) / 2) * (1 + Math.cos(Math.PI * x))
    const [start, end] = [0.1 / 25, 0.1 / 25 / 1e4]
    expectClose(oneCycle(0.1, { steps: 1 }), [end])
    expectClose(oneCycle(0.1, { steps: 3 }), [arc(0.1, end, 0.1 / 2.1), arc(0.1, end, 1.1 / 2.1), end])
    expectClose(oneCycle(0.1, { steps: 2, threePhase: true }), [arc(start, end, 0.8 / 1.8), end])
    expectClose(oneCycleMomentum({ steps: 2 }), [arc(0.85, 0.95, 0.4 / 1.4), 0.95])
  })

  test('bad arguments are named', () => {
    expect(() => interpolate([])).toThrow('interpolate: there are no points')
    expect(() =>
      interpolate([
        [1, 0],
        [1, 1],
      ]),
    ).toThrow('interpolate: boundaries want numbers, ascending, got [1, 1]')
    expect(() => cosine(1, { steps: 0 })).toThrow('cosine: steps wants a number above 0, got 0')
    expect(() => sequence([constant(1)], [3])).toThrow('sequence: 1 pieces want 0 boundaries, got 1')
    expect(() => piecewise([1, 2, 3], [5, 5])).toThrow('ascending')
    for (const steps of [10, 100])
      expect(() => oneCycle(1, { steps, threePhase: true, warmupFraction: 0.6 })).toThrow(
        'oneCycle: warmupFraction wants a number of at most 0.5 with threePhase, down is as long as up; got 0.6',
      )
    expect(oneCycle(1, { steps: 100, threePhase: true, warmupFraction: 0.5 })(49)).toBe(1)
    expect(() => new ReduceOnPlateau(optimizer(1), { factor: 2 })).toThrow('factor wants a number above 0 and below 1, got 2')
  })
})

describe('Scheduler', () => {
  test('sets the value of the first step at once and then one a step', () => {
    const driven = optimizer(1)
    const scheduler = new Scheduler(driven, exponential(0.5, { factor: 0.5 }))
    expect(driven.learningRate).toBe(0.5)
    scheduler.step()
    expect(driven.learningRate).toBe(0.25)
    scheduler.loadState({ stepCount: 0 })
    expect(driven.learningRate).toBe(0.5)
  })

  test('drives any option of any group', () => {
    const driven = optimizer(1, 2)
    new Scheduler(driven, { weightDecay: constant(0.3), momentum: constant(0.8) }, { group: 1 })
    expect(driven.groups.map(({ options }) => options.weightDecay)).toEqual([0, 0.3])
    expect(driven.groups.map(({ options }) => options.momentum)).toEqual([0.9, 0.8])
  })

  test('relative: a factor on what each group had', () => {
    const driven = optimizer(1, 2)
    driven.groups[1].options.learningRate = 0.1
    new Scheduler(driven, constant(0.5), { relative: true })
    expect(driven.groups.map(({ options }) => options.learningRate)).toEqual([0.5, 0.05])
  })

  test('relative: after a restart, a factor on what each group had at the beginning', () => {
    const make = () => {
      const driven = optimizer(1, 2)
      driven.groups[1].options.learningRate = 0.1
      return driven
    }
    const schedule = exponential(1, { factor: 0.5 })
    const [straight, first, second] = [make(), make(), make()]
    const whole = new Scheduler(straight, schedule, { relative: true })
    const half = new Scheduler(first, schedule, { relative: true })
    for (const scheduler of [whole, half]) for (let k = 0; k < 3; k++) scheduler.step()
    second.loadState(first.state())
    const again = new Scheduler(second, schedule, { relative: true })
    again.loadState(JSON.parse(JSON.stringify(half.state())))
    for (const scheduler of [whole, again]) scheduler.step()
    expect(second.groups.map(({ options }) => options.learningRate)).toEqual(straight.groups.map(({ options }) => options.learningRate))
    expect(second.learningRate).toBe(1 / 16)
  })

  test('a state of another scheduler', () => {
    const scheduler = new Scheduler(optimizer(1), constant(0.5))
    const state = new Scheduler(optimizer(1, 2), constant(0.5)).state()
    expect(() => scheduler.loadState({ ...state, stepCount: 3 })).toThrow('of a scheduler of 2 options, this one drives 1')
    expect(scheduler.stepCount).toBe(0)
    expect(() => scheduler.loadState({} as never)).toThrow('wants { stepCount }, got')
  })

  test.each([
    ['bases of null, as JSON writes NaN', { stepCount: 3, bases: [0.5, null] }, 'bases want finite numbers, got null'],
    ['a base that is no number', { stepCount: 3, bases: [0.5, 'x'] }, "bases want finite numbers, got 'x'"],
    ['a base of NaN', { stepCount: 3, bases: [0.5, Number.NaN] }, 'bases want finite numbers, got NaN'],
    ['no bases', { stepCount: 3, bases: null }, 'the state is of a scheduler of no options, this one drives 2'],
    ['half a step', { stepCount: 1.5 }, 'Scheduler.loadState(): stepCount wants a whole number ≥ 0, got 1.5'],
    ['steps before the first', { stepCount: -1 }, 'stepCount wants a whole number ≥ 0, got -1'],
    ['steps of NaN', { stepCount: Number.NaN }, 'stepCount wants a whole number ≥ 0, got NaN'],
    [
      'a base that gives a value which is not allowed',
      { stepCount: 3, bases: [0.5, -1] },
      'learningRate wants a finite number ≥ 0, got -0.125',
    ],
  ])('a state with %s: refused, and nothing was changed', (_, wrong, message) => {
    const driven = optimizer(1, 2)
    const scheduler = new Scheduler(driven, exponential(1, { factor: 0.5 }), { relative: true })
    scheduler.step()
    const seen = () => [scheduler.state(), driven.groups.map(({ options }) => options.learningRate)]
    const before = seen()
    expect(() => scheduler.loadState(wrong as never)).toThrow(message)
    expect(seen()).toEqual(before)
  })

  test('an option that is not there, a value that is not allowed', () => {
    expect(() => new Scheduler(optimizer(1), { beta9: constant(1) })).toThrow("no number 'beta9' to drive")
    expect(() => new Scheduler(optimizer(1), constant(-1))).toThrow('learningRate wants a finite number ≥ 0, got -1')
  })
})

test('coslog and flatCosine are coslog4 and flat_cos of RealMLP, computed in Python by the formulas of pytabkit', () => {
  const steps = [0, 10, 37, 100, 150, 699, 700, 1000, 1499, 1500, 2000]
  const expectClose = (schedule: Schedule, wanted: number[]) =>
    steps.forEach((step, i) => expect(Math.abs(schedule(step) - wanted[i]), `step ${step}`).toBeLessThan(1e-15))
  expectClose(
    coslog(0.04, { steps: 1500 }),
    [0, 0.0070113757500265, 0.0391767239634908, 0, 0.0287341875384824, 1.28548596488365e-6, 0, 0.039353777076915, 3.2117312079194e-7, 0, 0],
  )
  expectClose(flatCosine(0.15, { steps: 1500 }), [0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.15, 0.1125, 6.57972664677708e-7, 0, 0])
  expect([0, 100, 300, 400].map(coslog(1, { steps: 300, cycles: 2 }))).toEqual([0, 0, 0, 0])
  expect(flatCosine(1, { steps: 10, flatFraction: 0, to: 0.5 })(5)).toBeCloseTo(0.75)
})

describe('ReduceOnPlateau', () => {
  test('a negative metric improves when it falls', () => {
    const driven = optimizer(1)
    const plateau = new ReduceOnPlateau(driven, { patience: 0, threshold: 0.1 })
    expect([-10, -10.5, -12].map((metric) => plateau.step(metric))).toEqual([false, true, false])
  })

  test('NaN never improves', () => {
    const plateau = new ReduceOnPlateau(optimizer(1), { patience: 1 })
    expect([NaN, NaN, 1].map((metric) => plateau.step(metric))).toEqual([false, true, false])
  })

  test('state goes on', () => {
    const plateau = new ReduceOnPlateau(optimizer(1), { patience: 1 })
    plateau.step(1)
    plateau.step(2)
    const other = new ReduceOnPlateau(optimizer(1), { patience: 1 })
    other.loadState(plateau.state())
    expect(other.step(2)).toBe(true)
  })
})
