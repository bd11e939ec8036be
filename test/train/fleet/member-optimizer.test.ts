/** The `scaledByRate` of optimizers: nets of a fleet that differ only in their learning rate share all other hyper-parameters. */
import { describe, expect, test } from 'vitest'
import * as gradus from '../../../ts/entries/js.js'
import { Adam, type AdamOptions, createBackend, Optimizer, Parameter } from '../../../ts/index.js'
import type { OptimizerInternals } from '../../../ts/optim/base/internals.js'
import type { UpdateRule } from '../../../ts/optim/base/update-rule.js'
import { MemberOptimizer, scaledByRateOf } from '../../../ts/train/fleet/member-optimizer.js'

const backend = createBackend({ backend: 'js' })

type Class = new (parameters: Parameter[], options?: object) => Optimizer

const isOptimizer = (value: unknown): value is Class => typeof value === 'function' && value.prototype instanceof Optimizer
const classes = Object.entries(gradus as Record<string, unknown>).flatMap(([name, value]): [string, Class][] =>
  isOptimizer(value) ? [[name, value]] : [],
)
/** Options that change the set of hyper-parameters. */
const VARIANTS: object[] = [
  {},
  { weightDecay: 0.01 },
  { weightDecay: 0.01, decoupledWeightDecay: true },
  { momentum: 0.9 },
  { momentum: 0.9, nesterov: true },
  { momentum: 0.9, nesterov: true, learningRateInside: true },
  { momentum: 0.9, learningRateInside: true, dampening: 0.3 },
  { amsgrad: true, amsgradMaximum: 'corrected' },
  { epsilonPlacement: 'inside' },
  { epsilonPlacement: 'hat' },
  { form: 'average', biasCorrection: true },
  { biasCorrection: true, centered: true },
  { learningRateDecay: 0.1 },
  { weightDecay: 0.01, weightDecayForm: 'proximal' },
  { maximize: true },
]
const parameters = () => [new Parameter([1, 2, 3], { backend })]

describe('hyper-parameters in proportion to the learning rate are that, to the last bit', () => {
  const seen = new Set<string>()
  test.each(classes)('%s', (name, Class) => {
    for (const options of VARIANTS) {
      let optimizer: Optimizer
      try {
        optimizer = new Class(parameters(), options)
      } catch {
        continue // an option that it does not have
      }
      const { values } = optimizer.groups[0]
      const scaledByRate = scaledByRateOf(optimizer, values)
      if (scaledByRate === null) continue
      seen.add(name)
      const internals = optimizer as unknown as OptimizerInternals
      const marks = Object.fromEntries(scaledByRate.map((number) => [number, 1]))
      const isScaled = (internals.rule(values) as UpdateRule).numbers(marks as never)
      expect(isScaled.filter((mark) => mark === 1)).toHaveLength(scaledByRate.length)
      for (const learningRate of [1e-5, 0.0031, 0.1, 1 / 3, 7]) {
        const [own, unit] = [
          { ...values, learningRate },
          { ...values, learningRate: 1 },
        ]
        const before = optimizer.state().groups[0].parameters[0] as { scalars?: Record<string, number> }
        const [a, b] = [{ ...before.scalars }, { ...before.scalars }]
        if (name === 'NAdam') a.product = b.product = 1
        for (const t of [1, 2, 3, 10, 999, 100_000]) {
          const [want, at1] = [internals.hyper(own, t, a), internals.hyper(unit, t, b)]
          const got = at1.map((number, i) => (isScaled[i] === 1 ? learningRate * number : number))
          expect(got.map(Math.fround), `step ${t} of ${JSON.stringify(own)}`).toEqual(want.map(Math.fround))
          expect(b).toEqual(a)
          expect(learningRate * internals.decoupledDecay(unit, at1)).toBe(internals.decoupledDecay(own, want))
          expect(internals.coupledDecay(unit)).toBe(internals.coupledDecay(own))
        }
      }
    }
  })
  test('so have the common ones', () => {
    for (const name of ['SGD', 'Momentum', 'Adam', 'AdamW', 'NAdam', 'RAdam', 'RMSProp', 'Adagrad', 'Adamax', 'Lion', 'Adan', 'ADOPT'])
      expect([...seen]).toContain(name)
  })
})

test('a class with numbers of its own shares none', () => {
  class Halved extends Adam {
    protected override hyper(o: Required<AdamOptions>, t: number): readonly number[] {
      return super.hyper(o, t).map((x) => x / 2)
    }
  }
  class Decaying extends Adam {
    protected override decoupledDecay(): number {
      return 0.25
    }
  }
  expect(scaledByRateOf(new Adam(parameters()), {})).not.toBeNull()
  expect(scaledByRateOf(new Halved(parameters()), {})).toBeNull()
  expect(scaledByRateOf(new Decaying(parameters()), {})).toBeNull()
})

test('nets that differ in their learning rate have one key, and others have not', () => {
  const hyperKey = (options: object) => {
    const [p] = parameters()
    p.claimGradient()
    const optimizer = new MemberOptimizer(new Adam([p], options))
    optimizer.updates()
    return optimizer.hyperKey
  }
  expect(hyperKey({ learningRate: 0.1 })).toBe(hyperKey({ learningRate: 0.2 }))
  expect(hyperKey({ beta1: 0.8 })).not.toBe(hyperKey({}))
  expect(hyperKey({ weightDecay: 0.1 })).not.toBe(hyperKey({}))
})
