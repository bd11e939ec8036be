/** Every wrapper takes any optimizer, every schedule any option, and every option has its errors. */
import { describe, expect, test } from 'vitest'
import { createBackend } from '../../ts/backend/index.js'
import { GradientAccumulation, Lookahead, type Optimizer, SAM, WeightAverage } from '../../ts/index.js'
import { AveragingOptimizer, Cautious, OPTIMIZERS, type OptimizerLike } from '../../ts/optim/index.js'
import { Parameter } from '../../ts/parameter.js'
import { Scheduler } from '../../ts/schedule/index.js'
import { backends } from '../tools/optim-runner.js'

type Class = (new (parameters: Parameter[], options?: object) => Optimizer) & { defaults: Record<string, unknown> }
const classes = Object.entries(OPTIMIZERS) as unknown as [string, Class][]

const SHAPES = [[3, 4], [5], [0], [1]]
const make = (backend: Parameter['backend']) =>
  SHAPES.map((shape, i) => {
    const size = shape.reduce((a, b) => a * b, 1)
    return new Parameter(
      Float32Array.from({ length: size }, (_, j) => Math.sin(1 + j + 3 * i)),
      { shape, backend },
    )
  })

/** Gradients of ½‖p‖² and some waves, so that each step has other gradients; added to unused gradients, as backward() does. */
function fill(parameters: readonly Parameter[], k: number): void {
  for (const p of parameters) {
    const [values, adds] = [p.view(), p.gradientState === 'ready']
    p.gradientView().forEach((before, j, g) => (g[j] = (adds ? before : 0) + values[j] + 0.1 * Math.sin(j + k)))
  }
}

const WRAPPERS: Record<string, (inner: Optimizer) => OptimizerLike> = {
  Lookahead: (inner) => new Lookahead(inner, { every: 3 }),
  SAM: (inner) => new SAM(inner),
  GradientAccumulation: (inner) => new GradientAccumulation(inner, { every: 2 }),
  Cautious: (inner) => new Cautious(inner),
  WeightAverage: (inner) => new WeightAverage(inner, { decay: 0.9, every: 2, from: 3 }),
  'Lookahead of accumulated batches': (inner) => new Lookahead(new GradientAccumulation(inner, { every: 2 }), { every: 2 }),
}

function walk(optimizer: OptimizerLike, parameters: readonly Parameter[], from: number, to: number): void {
  for (let k = from; k < to; k++) {
    if (optimizer instanceof SAM) {
      optimizer.step(() => fill(parameters, k))
      continue
    }
    fill(parameters, k)
    optimizer.step()
  }
}

describe.each(backends)('on $name', ({ make: makeBackend }) => {
  const backend = makeBackend()

  describe.each(Object.entries(WRAPPERS))('%s', (wrapper, wrap) => {
    const taken = classes.filter(([, Class]) => wrapper !== 'Cautious' || !(Class.prototype instanceof AveragingOptimizer))
    test.each(taken)('of %s moves down, and a state restored mid-way gives the same bits', (_, Class) => {
      const [a, b, c] = [make(backend), make(backend), make(backend)]
      const start = Math.hypot(...a.flatMap((p) => [...p.view()]))
      const [straight, first] = [wrap(new Class(a)), wrap(new Class(b))]
      walk(straight, a, 0, 14)
      // saved in the middle of a period of each wrapper
      walk(first, b, 0, 7)
      const second = wrap(new Class(c))
      c.forEach((p, i) => p.view().set(b[i].view()))
      second.loadState(JSON.parse(JSON.stringify(first.state())))
      walk(second, c, 7, 14)
      expect(c.map((p) => [...p.view()])).toEqual(a.map((p) => [...p.view()]))
      expect(Math.hypot(...a.flatMap((p) => [...p.view()]))).toBeLessThan(start)
    })
  })

  test.each(classes)('WeightAverage of %s is the mean of what it saw', (_, Class) => {
    const parameters = make(backend)
    const average = new WeightAverage(new Class(parameters), { form: 'mean' })
    const sums = parameters.map((p) => new Float64Array(p.size))
    for (let k = 0; k < 4; k++) {
      walk(average, parameters, k, k + 1)
      parameters.forEach((p, i) => p.view().forEach((x, j) => (sums[i][j] += x / 4)))
    }
    average.averages().forEach((values, i) => values.forEach((x, j) => expect(x).toBeCloseTo(sums[i][j], 5)))
  })
})

const backend = createBackend({ backend: 'js' })
const options = classes.flatMap(([name, Class]) => {
  const numbers = Object.entries(Class.defaults).filter(([, value]) => typeof value === 'number')
  return numbers.map(([option]) => [name, option, Class] as const)
})

test.each(options)('%s: %s is checked, and the error names it and the value', (name, option, Class) => {
  const parameters = [new Parameter([1, 2], { backend }), new Parameter([[1, 2]], { backend })]
  for (const bad of [Number.NaN, '1']) {
    expect(() => new Class(parameters, { [option]: bad })).toThrow(RangeError)
    expect(() => new Class(parameters, { [option]: bad })).toThrow(new RegExp(`${name}.*${option}.*got '?${bad}`))
  }
})

const drivable = options.filter(([, option, Class]) => !Array.isArray((Class as unknown as Record<string, never>).allowed?.[option]))

test.each(drivable)('%s: a schedule drives %s of one group and leaves the other', (_, option, Class) => {
  const parameters = [[1, 2], [3]].map((values) => ({ parameters: [new Parameter(values, { shape: [1, values.length], backend })] }))
  // an optimizer may keep no state for an option that is 0 at first; such an option cannot change later
  const given = Class.defaults[option] === 0 ? { [option]: 0.5 } : {}
  const optimizer = new Class(parameters as unknown as Parameter[], given)
  const next = (step: number) => another(option, usual, step, largest(Class, option))
  const values = () => optimizer.groups.map((group) => (group.options as unknown as Record<string, number>)[option])
  const [usual] = values()
  const scheduler = new Scheduler(optimizer, { [option]: next }, { group: 1 })
  expect(values()).toEqual([usual, next(0)])
  scheduler.step()
  expect(values()).toEqual([usual, next(1)])
})

/** The largest value that a class says it allows. */
function largest(Class: Class, option: string): number {
  const { allowed = {} } = Class as unknown as { allowed?: Record<string, { max?: number }> }
  return allowed[option]?.max ?? Infinity
}

/** Another value near the usual one; a whole number if the usual one is. */
function another(option: string, usual: number, step: number, most: number): number {
  if (!option.startsWith('beta') && usual >= 1 && Number.isInteger(usual) && usual + 1 + step <= most) return usual + 1 + step
  return usual * (0.99 - 0.01 * step)
}
