/** Spaces: refused arguments, and the types of the objective's argument. */
import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { categorical, createStudy, float, grid, int, type Params, when } from '../../ts/tune/index.js'
import { Axis, axesOf, pointOf, valuesAt } from '../../ts/tune/space.js'

describe('ranges', () => {
  test.each([
    [() => float(1, 0), 'float: wants low ≤ high, got 1 and 0: the range is empty'],
    [
      () => float(0, 1, { log: true }),
      'float: a logarithmic range wants low above 0, got 0; begin at a small number such as 1e-6, or leave log out',
    ],
    [() => float(0, Number.NaN), 'float: high wants a finite number, got NaN'],
    [() => float(0, 1, { step: 0 }), 'float: step wants a number above 0, got 0'],
    [() => float(1, 2, { step: 0.5, log: true }), 'float: wants step or log, got both; leave one out'],
    [() => float(0, 1, { logarithmic: true } as object), "float: there is no option 'logarithmic'"],
    [() => int(0.5, 2), 'int: low wants a whole number, got 0.5; float() takes others'],
    [() => int(1, 2, { step: 0.5 }), 'int: step wants a whole number ≥ 1, got 0.5'],
    [() => categorical([]), 'categorical: wants at least one value, got an empty array'],
    [() => categorical(['a', 'b', 'a']), "categorical: value 2 is 'a' again; each value once"],
    [
      () => categorical([Math.max as unknown as string]),
      'categorical: value 0 wants a text, a finite number, true, false or null, got a function',
    ],
    [() => when('a', 1, 5 as never), 'when: wants a parameter such as float(0, 1), got 5'],
  ])('%#', (make, message) => {
    expect(make).toThrow(message)
  })

  test('ends that are no whole number of steps away are drawn in', () => {
    expect(int(1, 10, { step: 4 }).high).toBe(9)
    expect(float(0, 1, { step: 0.3 }).high).toBe(0.9)
  })

  test('values on steps are those that people write', () => {
    const number = fc.tuple(fc.integer({ min: -9999, max: 9999 }), fc.integer({ min: 0, max: 6 }))
    const run = fc.property(number, number, fc.nat(200), fc.nat(200), ([l, p], [s, q], count, chosen) => {
      const [k, digits, step] = [Math.min(count, chosen), Math.max(p, q), Math.abs(s) + 1]
      const written = (n: number) =>
        Number(`${BigInt(l) * 10n ** BigInt(digits - p) + BigInt(n * step) * 10n ** BigInt(digits - q)}e-${digits}`)
      const [axis] = axesOf({ x: float(written(0), written(count), { step: Number(`${step}e-${q}`) }) })
      const value = written(k)
      const range = axis.range as { low: number; high: number }
      expect(range.high).toBe(written(count))
      expect(axis.value(range.low + k * Number(`${step}e-${q}`))).toBe(value)
      expect([axis.has(value), axis.coordinate(value)]).toEqual([true, value])
    })
    fc.assert(run, { numRuns: 1000 })
  })
})

describe('spaces', () => {
  test.each([
    [{ a: 1 }, 'space.a wants float(), int(), categorical() or when(), got 1'],
    [{ a: when('b', 1, float(0, 1)) }, "space.a depends on 'b', which is no parameter of the space"],
    [{ a: when('b', 1, float(0, 1)), b: int(0, 1) }, "space.a depends on 'b', which stands behind it; put it before"],
    [{ b: int(0, 1), a: when('b', 2, float(0, 1)) }, "space.a is there for 2 of 'b', which that never is: int(0, 1)"],
    [{ b: float(0, 1, { step: 0.1 }), a: when('b', 0.35, float(0, 1)) }, "space.a is there for 0.35 of 'b', which that never is"],
    [null, 'space wants an object of parameters'],
  ])('refuse %#', async (space, message) => {
    await expect(createStudy({ space: space as never })).rejects.toThrow(message)
  })

  test('values are on their steps and within their ends, whatever the coordinate', () => {
    const axes = axesOf({
      f: float(1e-5, 1, { log: true }),
      i: int(3, 17, { step: 7 }),
      g: int(1, 100, { log: true }),
      s: float(0, 1, { step: 0.25 }),
    })
    for (const axis of axes)
      for (let u = 0; u < 1; u += 1 / 64) {
        const value = axis.value(axis.at(u)) as number
        const { low, high } = axis.range as { low: number; high: number }
        expect(value).toBeGreaterThanOrEqual(low)
        expect(value).toBeLessThanOrEqual(high)
        expect(axis.value(axis.coordinate(value))).toBeCloseTo(value, 12)
      }
    expect(axes[1].value(axes[1].at(0.999))).toBe(17)
    expect([axes[1].value(axes[1].at(0.4)), axes[3].value(axes[3].at(0.5))]).toEqual([10, 0.5])
  })

  test('each value of a few is as likely as the others', () => {
    const axis = new Axis('i', int(0, 3), [])
    const counts = [0, 0, 0, 0]
    for (let i = 0; i < 400; i++) counts[axis.value(axis.at(i / 400)) as number]++
    expect(counts).toEqual([100, 100, 100, 100])
  })

  test('conditional parameters are there where their condition holds', () => {
    const axes = axesOf({ kind: categorical(['SGD', 'Adam']), momentum: when('kind', 'SGD', float(0, 1)) })
    expect(valuesAt(axes, pointOf(axes, { kind: 'SGD', momentum: 0.5 }) as Float64Array)).toEqual({ kind: 'SGD', momentum: 0.5 })
    expect(valuesAt(axes, pointOf(axes, { kind: 'Adam', momentum: 0.5 }) as Float64Array)).toEqual({ kind: 'Adam' })
    expect(pointOf(axes, { kind: 'SGD' })).toBeNull()
    expect(pointOf(axes, { kind: 'Lion' })).toBeNull()
  })

  test('types reach the objective', async () => {
    const space = {
      rate: float(0, 1),
      kind: categorical(['SGD', 'Adam']),
      momentum: when('kind', 'SGD', float(0, 1)),
      deep: categorical([true, false]),
    }
    const study = await createStudy({ space })
    await study.optimize(
      (params) => {
        expectTypeOf(params.rate).toEqualTypeOf<number>()
        expectTypeOf(params.kind).toEqualTypeOf<'SGD' | 'Adam'>()
        expectTypeOf(params.momentum).toEqualTypeOf<number | undefined>()
        expectTypeOf(params.deep).toEqualTypeOf<boolean>()
        // @ts-expect-error there is no such parameter
        expect(params.width).toBeUndefined()
        expect(params.momentum === undefined).toBe(params.kind === 'Adam')
        return params.rate
      },
      { trials: 40 },
    )
    expectTypeOf(study.bestParams).toEqualTypeOf<Params<typeof space>>()
  })
})

test('a condition on a step holds for the value that is drawn, and for one with the error of a sum', async () => {
  const space = { x: float(0, 1, { step: 0.1 }), y: when('x', 0.3, float(0, 1)) }
  const study = await createStudy({ space, sampler: grid({ points: 11 }), name: 'steps' })
  const drawn = []
  for (let i = 0; i < 21; i++) drawn.push((await study.ask()).params)
  expect(drawn.filter(({ x }) => x === 0.3)).toHaveLength(11)
  expect(drawn.every(({ x, y }) => (x === 0.3) === (y !== undefined))).toBe(true)
  const axes = axesOf(space)
  expect(axes[1].isActive(pointOf(axes, { x: 0.1 + 0.2, y: 0.5 }) as Float64Array)).toBe(true)
})

test('an enqueued parent gets a child that the constraint allows, where the middle is forbidden', async () => {
  const space = { x: float(0, 1), y: when('x', 0.25, float(0, 1)) }
  const study = await createStudy({ space, constraint: ({ y }) => y === undefined || y > 0.9 })
  await study.enqueue({ x: 0.25 })
  const { params } = await study.ask()
  expect(params.x).toBe(0.25)
  expect(params.y).toBeGreaterThan(0.9)
})
