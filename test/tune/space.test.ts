/** Spaces: what they refuse, and that types reach the objective. */
import { describe, expect, expectTypeOf, test } from 'vitest'
import { categorical, createStudy, float, int, type Params, when } from '../../ts/tune/index.js'
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
    [() => int(1, 2, { step: 0.5 }), 'int: step wants a whole number above 0, got 0.5'],
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
    expect(float(0, 1, { step: 0.3 }).high).toBeCloseTo(0.9)
  })
})

describe('spaces', () => {
  test.each([
    [{ a: 1 }, 'space.a wants float(), int(), categorical() or when(), got 1'],
    [{ a: when('b', 1, float(0, 1)) }, "space.a depends on 'b', which is no parameter of the space"],
    [{ a: when('b', 1, float(0, 1)), b: int(0, 1) }, "space.a depends on 'b', which stands behind it; put it before"],
    [{ b: int(0, 1), a: when('b', 2, float(0, 1)) }, "space.a is there for 2 of 'b', which that never is: int(0, 1)"],
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
