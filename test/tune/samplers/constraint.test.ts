/**
 * The constraint of a study: no sampler violates it, none ends a study while allowed points remain, and asking stays fast.
 *
 *   CONSTRAINTS=2000 SEED=29 node node_modules/vitest/vitest.mjs run test/tune/samplers/constraint.test.ts
 */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  categorical,
  cmaEs,
  createStudy,
  float,
  grid,
  int,
  latinHypercube,
  nsga2,
  type Params,
  random,
  type Sampler,
  type Space,
  sobol,
  tpe,
} from '../../../ts/tune/index.js'
import { cpuNow } from '../../tools/clocks.js'
import { milliseconds } from '../../tools/nightly.js'
import { space } from '../spaces.js'

const RUNS = Number(process.env.CONSTRAINTS ?? 4)
const ASKS = 200

const SAMPLERS: Record<string, () => Sampler> = {
  tpe: () => tpe(),
  random: () => random(),
  latinHypercube: () => latinHypercube({ points: 20 }),
  sobol: () => sobol(),
  cmaEs: () => cmaEs(),
  nsga2: () => nsga2({ populationSize: 10 }),
  grid: () => grid({ points: 4 }),
}

/** A number from 0 to 1 that depends on all parameters. */
function mixed(params: Params, phase: number): number {
  let sum = phase
  for (const value of Object.values(params)) sum += typeof value === 'number' ? Math.log1p(Math.abs(value)) : String(value).length
  return 0.5 + 0.5 * Math.sin(sum)
}

/** Asks for trials of a study and reports a loss that is least at the border of the allowed region. */
async function run(space: Space, sampler: Sampler, constraint: (params: Params) => boolean, loss: (params: Params) => number, seed = 0) {
  const study = await createStudy({ space, sampler, constraint, seed })
  const slow: number[] = []
  for (let i = 0; i < ASKS; i++) {
    const before = cpuNow()
    const trial = await study.ask().catch((error: Error) => {
      if (/has \d+ points, and all have been asked for that keep the constraint/.test(error.message)) return undefined
      throw error
    })
    slow.push(cpuNow() - before)
    if (trial === undefined) break
    expect(constraint(trial.params)).toBe(true)
    await study.tell(trial, loss(trial.params))
  }
  return { study, slowest: slow.sort((a, b) => b - a) }
}

/** Whether the constraint allows any point of a sampler that has only some; of many points the first two thousand are looked at. */
async function someAllowed(space: Space, sampler: Sampler, constraint: (params: Params) => boolean): Promise<boolean> {
  const all = await createStudy({ space, sampler })
  for (let i = 0; i < 2000; i++) {
    const trial = await all.ask().catch(() => undefined)
    if (trial === undefined) return false
    if (constraint(trial.params)) return true
    await all.tell(trial, 0)
  }
  return true
}

test.each(Object.entries(SAMPLERS))('fault 40: %s keeps random constraints of random spaces', async (_, make) => {
  await fc.assert(
    fc.asyncProperty(
      space(),
      fc.double({ min: 0, max: 6, noNaN: true }),
      fc.constantFrom(0.02, 0.3, 0.7),
      fc.nat(),
      async (space, phase, share, seed) => {
        const constraint = (params: Params) => mixed(params, phase) <= share
        // other tests try a constraint that allows hardly anything of the space
        const probe = await createStudy({ space, sampler: random(), seed: 1 })
        await probe.optimize(() => 0, { trials: 200 })
        fc.pre(probe.trials.filter(({ params }) => constraint(params)).length >= 2)
        if (make().limit && !(await someAllowed(space, make(), constraint))) return
        const { slowest } = await run(space, make(), constraint, (params) => -mixed(params, phase), seed)
        // the first call and some later ones wait for the compiler
        expect(slowest[5] ?? 0).toBeLessThan(milliseconds(50))
      },
    ),
    { numRuns: RUNS, seed: Number(process.env.SEED ?? 29), endOnFailure: RUNS < 100 },
  )
})

const { x, y } = { x: float(0, 1), y: float(0, 1) }
const two: Space = { x, y }
type XY = { x: number; y: number }
const CONSTRAINTS: [string, Space, (params: never) => boolean][] = [
  ['x + y < 0.7', two, ({ x, y }: XY) => x + y < 0.7],
  ['x > y', two, ({ x, y }: XY) => x > y],
  ['a disc', two, ({ x, y }: XY) => (x - 0.8) ** 2 + (y - 0.2) ** 2 < 0.01],
  ['x · y < ¼', two, ({ x, y }: XY) => x * y < 0.25],
  [
    'width · depth ≤ 256',
    { width: int(8, 256, { log: true }), depth: int(1, 8) },
    ({ width, depth }: { width: number; depth: number }) => width * depth <= 256,
  ],
]

describe.each(CONSTRAINTS)('%s', (_, space, constraint) => {
  test.each(['tpe', 'cmaEs', 'nsga2'])('%s goes to the border, and keeps to it', async (name) => {
    const loss = ({ x = 0, y = 0, width = 0, depth = 0 }: Record<string, number>) => (x - 0.6) ** 2 + y - width * depth
    const { study } = await run(space, SAMPLERS[name](), constraint as never, loss as never)
    expect(study.trials).toHaveLength(ASKS)
  })
})

test('TPE finds the least that is allowed', async () => {
  const { study } = await run(two, tpe(), (({ x, y }: XY) => x + y > 0.7) as never, (({ x, y }: XY) => x ** 2 + y ** 2) as never)
  // at the border: 2 · 0.35²
  expect(study.bestValue).toBeLessThan(0.26)
})

const narrow: Space = { x: float(0, 1), y: float(0, 1), kind: categorical(['a', 'b']) }
const isNarrow = ({ x, y }: Params) => Math.abs((x as number) - 0.4) < 0.005 && Math.abs((y as number) - 0.7) < 0.005

test.each(['tpe', 'random', 'latinHypercube', 'sobol', 'cmaEs', 'nsga2'])(
  '%s finds the ten-thousandth of a space that is allowed',
  async (name) => {
    const study = await createStudy({ space: narrow, sampler: SAMPLERS[name](), constraint: isNarrow })
    await study.optimize(({ x }) => x as number, { trials: 15 })
    expect(study.trials.every(({ params }) => isNarrow(params))).toBe(true)
  },
)

test('a trial that the constraint forbids is neither added nor left waiting', async () => {
  const study = await createStudy({ space: two, constraint: ({ x }: Params) => (x as number) < 0.5 })
  await expect(study.add({ x: 0.6, y: 0.1 }, -5)).rejects.toThrow('add: the constraint of the study forbids an object with x, y')
  await expect(study.enqueue({ x: 0.6 })).rejects.toThrow(
    'enqueue: with an object with x as given, no values of the other parameters keep the constraint of the study',
  )
  await study.enqueue({ y: 0.6 })
  const { params } = await study.ask()
  expect([(params.x as number) < 0.5, params.y, study.trials.length]).toEqual([true, 0.6, 1])
})

test.each([undefined, Promise.resolve(false), 1, ''])(
  'a constraint that returns %s, neither true nor false, is an error',
  async (answer) => {
    const study = await createStudy({ space: two, constraint: (() => answer) as never })
    await expect(study.ask()).rejects.toThrow(/^createStudy: constraint wants to return true or false, at once, got /)
  },
)

test.each([
  ['tpe', 'ask: of 200000 random points none keeps the constraint; does it allow any? Narrow the ranges of the space to where it does'],
  ['cmaEs', 'ask: of 200000 random points none keeps the constraint'],
  ['sobol', "ask: of 200000 points of the sampler 'sobol' none keeps the constraint; does it allow any?"],
  ['grid', "ask: of 32 points of the sampler 'grid' none keeps the constraint"],
])('%s says that nothing is allowed', async (name, message) => {
  const study = await createStudy({ space: narrow, sampler: SAMPLERS[name](), constraint: () => false })
  await expect(study.ask()).rejects.toThrow(message)
  await expect(study.enqueue({ x: 0.5, y: 0.5, kind: 'a' })).rejects.toThrow('enqueue: the constraint of the study forbids')
})
