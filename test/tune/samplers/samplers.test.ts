/** Samplers: the same seed gives the same trials, points are in the space, and each finds what it should. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Generator } from '../../../ts/index.js'
import {
  categorical,
  cmaEs,
  createStudy,
  float,
  grid,
  int,
  latinHypercube,
  nsga2,
  random,
  type Sampler,
  type Space,
  sobol,
  tpe,
  when,
} from '../../../ts/tune/index.js'
import { type Axis, axesOf } from '../../../ts/tune/space.js'
import { cpuNow } from '../../tools/clocks.js'
import { milliseconds } from '../../tools/nightly.js'
import { memoryJournal } from '../memory-journal.js'
import { space } from '../spaces.js'

const MIXED = {
  rate: float(1e-5, 1, { log: true }),
  width: int(4, 256, { log: true }),
  kind: categorical(['SGD', 'Adam', 'Lion']),
  momentum: when('kind', 'SGD', float(0, 0.99)),
  nesterov: when('kind', ['SGD'], categorical([true, false])),
  layers: int(1, 4),
  dropout: float(0, 0.5, { step: 0.1 }),
}

const SAMPLERS: Record<string, () => Sampler> = {
  tpe: () => tpe(),
  random: () => random(),
  latinHypercube: () => latinHypercube({ points: 20 }),
  sobol: () => sobol(),
  cmaEs: () => cmaEs(),
  nsga2: () => nsga2({ populationSize: 10 }),
}

const mixed = ({ rate, width, kind, layers }: { rate: number; width: number; kind: string; layers: number }) =>
  (Math.log10(rate) + 2) ** 2 + Math.abs(Math.log2(width) - 6) / 4 + (kind === 'Adam' ? 0 : 0.5) + layers / 20

describe.each(Object.entries(SAMPLERS))('%s', (_, make) => {
  test('the same seed gives the same trials, another gives others', async () => {
    const run = async (seed: number) => {
      const study = await createStudy({ space: MIXED, sampler: make(), seed })
      await study.optimize(mixed, { trials: 60 })
      return study.trials.map(({ params }) => params)
    }
    const once = await run(5)
    expect(await run(5)).toEqual(once)
    expect(await run(6)).not.toEqual(once)
  })

  test('a study that is stopped and opened again goes on with the same trials', async () => {
    const journal = memoryJournal()
    const options = { space: MIXED, sampler: make(), seed: 2, storage: journal }
    const first = await createStudy(options)
    await first.optimize(mixed, { trials: 25 })
    await first.close()
    const second = await createStudy({ ...options, sampler: make() })
    await second.optimize(mixed, { trials: 60 })
    const whole = await createStudy({ space: MIXED, sampler: make(), seed: 2 })
    await whole.optimize(mixed, { trials: 60 })
    expect(second.trials.map(({ params }) => params)).toEqual(whole.trials.map(({ params }) => params))
  })
})

describe('what they find', () => {
  const bowl: Space = Object.fromEntries([0, 1, 2, 3, 4].map((i) => [`x${i}`, float(-5, 5)]))
  const value = (params: Record<string, unknown>) =>
    Object.values(params).reduce<number>((sum, x, i) => sum + 4 ** (i / 4) * ((x as number) - 1) ** 2, 0)
  const best = async (sampler: Sampler, trials: number) => {
    let sum = 0
    for (let seed = 0; seed < 4; seed++) {
      const study = await createStudy({ space: bowl, sampler, seed })
      await study.optimize(value, { trials })
      sum += study.bestValue / 4
    }
    return sum
  }

  test('TPE and CMA-ES are far ahead of random points on a bowl', async () => {
    const chance = await best(random(), 150)
    expect(await best(tpe(), 150)).toBeLessThan(chance / 20)
    expect(await best(cmaEs(), 150)).toBeLessThan(chance / 10)
  })

  test('CMA-ES reaches digits that others do not', async () => {
    expect(await best(cmaEs(), 600)).toBeLessThan(1e-4)
  })

  test('TPE finds the category and the range that matter', async () => {
    const study = await createStudy({ space: MIXED, seed: 1 })
    await study.optimize(mixed, { trials: 100 })
    const { rate, kind, layers } = study.bestParams
    expect([kind, layers]).toEqual(['Adam', 1])
    expect(Math.abs(Math.log10(rate) + 2)).toBeLessThan(0.3)
  })

  test('of many that are asked for at once TPE makes different ones', async () => {
    const study = await createStudy({ space: { x: float(0, 1) }, seed: 1 })
    await study.optimize(({ x }) => (x - 0.3) ** 2, { trials: 20 })
    const asked = await Promise.all(Array.from({ length: 8 }, () => study.ask()))
    const values = asked.map(({ params }) => params.x).sort((a, b) => a - b)
    expect(values[7] - values[0]).toBeGreaterThan(0.05)
    expect(new Set(values).size).toBe(8)
  })

  test('NSGA-II spreads over the front', async () => {
    const study = await createStudy({ space: { x: float(-10, 10), y: float(-10, 10) }, direction: ['minimize', 'maximize'], seed: 1 })
    expect(study.sampler.name).toBe('nsga2')
    await study.optimize(({ x, y }) => [x ** 2 + y ** 2, -((x - 2) ** 2) - y ** 2], { trials: 400 })
    const isNear = ({ params: { x, y } }: { params: { x: number; y: number } }) => x > -0.5 && x < 2.5 && Math.abs(y) < 0.5
    const [early, late] = [study.trials.slice(0, 100).filter(isNear).length, study.trials.slice(300).filter(isNear).length]
    expect(late).toBeGreaterThan(4 * Math.max(1, early))
    expect(study.front.filter(isNear).length).toBeGreaterThan(study.front.length / 2)
    const firsts = study.front.map(({ values }) => values[0])
    expect(Math.max(...firsts) - Math.min(...firsts)).toBeGreaterThan(1.5)
    expect(() => study.bestTrial).toThrow('a study of 2 objectives has no best trial; front has those that no other beats')
  })
})

const unit = (d: number): Space => Object.fromEntries(Array.from({ length: d }, (_, i) => [`x${i}`, float(0, 1)]))

describe('points without regard to results', () => {
  const points = async (sampler: Sampler, d: number, n: number) => {
    const study = await createStudy({ space: unit(d), sampler })
    await study.optimize(() => 0, { trials: n })
    return study.trials.map(({ params }) => Object.values(params) as number[])
  }

  test('a Latin hypercube has one point in each row of each dimension', async () => {
    const list = await points(latinHypercube({ points: 16 }), 3, 32)
    for (const cube of [list.slice(0, 16), list.slice(16)])
      for (let i = 0; i < 3; i++)
        expect(cube.map((point) => Math.floor(16 * point[i])).sort((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, k) => k))
  })

  test("Sobol' points are those of SciPy, shifted digit by digit", async () => {
    // test/oracles/sobol.json: scipy.stats.qmc.Sobol(21, scramble=False).random(64)
    const wanted = JSON.parse(readFileSync('test/oracles/sobol.json', 'utf8')) as number[][]
    const list = await points(sobol({ seed: 3 }), 21, 64)
    const digits = (x: number) => Math.floor(x * 2 ** 30)
    for (let i = 0; i < 21; i++) {
      const shift = digits(list[0][i]) ^ digits(wanted[0][i])
      for (const [k, point] of list.entries()) expect(digits(point[i]) ^ shift).toBe(digits(wanted[k][i]))
    }
  })

  test("the direction numbers of all dimensions of Sobol' are those of SciPy", () => {
    // test/oracles/sobol-powers.json: points 1, 2, 4, … of scipy.stats.qmc.Sobol(101, scramble=False), times 2³⁰; each has a direction of its own
    const wanted = JSON.parse(readFileSync('test/oracles/sobol-powers.json', 'utf8')) as number[][]
    const axes = axesOf(unit(101))
    const sampler = sobol({ seed: 3 })
    const digits = (point: number) =>
      Array.from(sampler.sample({ axes, point, random: new Generator(1) } as never), (x) => Math.floor(x * 2 ** 30))
    const shift = digits(0)
    for (const [k, point] of wanted.entries()) expect(digits(2 ** k).map((value, i) => value ^ shift[i])).toEqual(point)
  })

  test("Sobol' has an end of dimensions", async () => {
    const study = await createStudy({ space: unit(102), sampler: sobol() })
    await expect(study.ask()).rejects.toThrow('sobol: wants a space of at most 101 parameters; tpe() and random() take more')
  })

  test.each([false, true])(
    'a grid leaves out what is forbidden, and nothing for what is enqueued or added; opened again: %s',
    async (isOpenedAgain) => {
      const folder = isOpenedAgain && mkdtempSync(path.join(tmpdir(), 'gradus-grid-'))
      const options = {
        space: { a: int(0, 3), b: int(0, 3) },
        sampler: grid({ points: 4 }),
        constraint: ({ a, b }: { a: number; b: number }) => a !== b,
        ...(folder && { storage: path.join(folder, 'grid.log') }),
      }
      let study = await createStudy(options)
      await study.enqueue({ a: 1, b: 2 })
      await study.add({ a: 0, b: 1 }, 0)
      await study.optimize(({ a, b }) => a + b, { trials: 6 })
      await study.enqueue({ a: 3 })
      if (folder) {
        await study.close()
        study = await createStudy(options)
      }
      await study.optimize(({ a, b }) => a + b)
      await expect(study.ask()).rejects.toThrow(
        "ask: the sampler 'grid' has 16 points, and all have been asked for that keep the constraint",
      )
      // the twelve of the grid, and three by hand, one of which continues a point of the grid
      expect(study.trials).toHaveLength(15)
      const seen = new Set(study.trials.map(({ params: { a, b } }) => `${a} ${b}`))
      expect(seen.size).toBe(12)
      expect([...seen].every((pair) => pair[0] !== pair[2])).toBe(true)
      await study.close()
      if (folder) rmSync(folder, { recursive: true })
      const never = await createStudy({ ...options, storage: undefined as never, constraint: () => false })
      await expect(never.optimize(() => 1)).rejects.toThrow("ask: of 16 points of the sampler 'grid' none keeps the constraint")
    },
  )

  test.each([() => sobol(), () => latinHypercube({ points: 16 })])('a constraint goes on to the next point: %#', async (sampler) => {
    const study = await createStudy({ space: { x: float(0, 1), y: float(0, 1) }, sampler: sampler(), constraint: ({ x }) => x < 0.5 })
    await study.optimize(({ x }) => x, { trials: 32 })
    // each allowed sixteenth of the range occurs equally often
    const cells = study.trials.map(({ params }) => Math.floor(16 * params.x))
    expect(Array.from({ length: 8 }, (_, i) => cells.filter((cell) => cell === i).length)).toEqual(Array(8).fill(4))
  })

  test('a grid has each combination once, ends, and ends the study', async () => {
    const space = { kind: categorical(['a', 'b']), x: when('kind', 'a', float(1, 100, { log: true })), n: int(1, 3) }
    const study = await createStudy({ space, sampler: grid({ points: 3 }) })
    await study.optimize(() => 1)
    const tried = study.trials.map(({ params }) => JSON.stringify(params))
    expect(new Set(tried).size).toBe(12)
    expect(tried).toHaveLength(12)
    expect(
      study.trials.filter(({ params }) => params.kind === 'a' && params.n === 1).map(({ params }) => Math.round(params.x as number)),
    ).toEqual([1, 10, 100])
    await expect(study.ask()).rejects.toThrow("ask: the sampler 'grid' has 12 points, and all have been asked for")
  })
})

describe('a grid by numbers', () => {
  /** All points of a grid, each made from the previous one. */
  function enumerated(axes: readonly Axis[], points: number): Float64Array[] {
    return axes.reduce<Float64Array[]>(
      (found, axis, i) =>
        found.flatMap((point) => {
          if (!axis.isActive(point)) return [point]
          const shares = Array.from({ length: points }, (_, k) => (points === 1 ? 0.5 : k / (points - 1)))
          const coordinates =
            axis.range.kind === 'categorical'
              ? axis.range.choices.map((_, k) => k)
              : [axis.coordinate(axis.range.low), axis.coordinate(axis.range.high)].flatMap((first, k, ends) =>
                  k > 0 ? [] : shares.map((share) => axis.coordinate(axis.value(first + share * (ends[1] - first)))),
                )
          return [...new Set(coordinates)].map((coordinate) => {
            const next = Float64Array.from(point)
            next[i] = coordinate
            return next
          })
        }),
      [new Float64Array(axes.length).fill(Number.NaN)],
    )
  }

  test('has the points of an enumeration, in its order', () => {
    fc.assert(
      fc.property(space(5), fc.integer({ min: 1, max: 4 }), (space, points) => {
        const axes = axesOf(space)
        const wanted = enumerated(axes, points)
        const sampler = grid({ points })
        expect(sampler.limit?.(axes)).toBe(wanted.length)
        const got = wanted.map((_, point) => sampler.sample({ axes, point } as never))
        expect(got.map((point) => point.join())).toEqual(wanted.map((point) => point.join()))
      }),
      { numRuns: Number(process.env.GRIDS ?? 50), seed: 1 },
    )
  })

  test('is large at once, and refused where its points cannot be numbered', async () => {
    const started = cpuNow()
    const large = await createStudy({ space: unit(15), sampler: grid({ points: 10 }) })
    await large.optimize(() => 0, { trials: 12 })
    expect(large.trials[11].params).toMatchObject({ x12: 0, x13: 1 / 9, x14: 1 / 9 })
    const huge = await createStudy({ space: unit(30), sampler: grid({ points: 10 }) })
    await expect(huge.ask()).rejects.toThrow(
      'grid: wants a space of at most 2^53 points, got 1.00e+30; take fewer points, counts for single parameters, or tpe()',
    )
    // some milliseconds: the enumeration had no answer after minutes
    expect(cpuNow() - started).toBeLessThan(milliseconds(300))
  })
})

describe('options', () => {
  test.each([
    [() => tpe({ gamma: 1 }), 'tpe: gamma wants a number above 0 and below 1, got 1'],
    [() => tpe({ n_startup_trials: 3 } as object), "tpe: there is no option 'n_startup_trials'; did you mean startupTrials?"],
    [() => cmaEs({ populationSize: 1 }), 'cmaEs: populationSize wants a whole number ≥ 2, got 1'],
    [() => nsga2({ swappingProb: 2 }), 'nsga2: swappingProb wants a number from 0 to 1, got 2'],
    [() => grid({ points: 0 }), 'grid: points wants a whole number ≥ 1, got 0'],
    [() => latinHypercube({ points: 1.5 }), 'latinHypercube: points wants a whole number ≥ 1, got 1.5'],
  ])('%#', (make, message) => {
    expect(make).toThrow(message)
  })

  test('a function in the place of what it makes', async () => {
    await expect(createStudy({ space: { x: float(0, 1) }, sampler: tpe as never })).rejects.toThrow(
      'createStudy: sampler wants one such as tpe(), got a function; call it',
    )
  })
})
