/** Scalers: the numbers that they learn, the columns that they leave unchanged, their states, and refused arguments. */
import { describe, expect, test } from 'vitest'
import { blobs, fitScaler, fromTable, iris, scalerFromState, standardize, trainTestSplit } from '../../ts/data/index.js'
import { tensor } from '../../ts/index.js'

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

describe('standardize', () => {
  test('scales by the training data alone', () => {
    const split = trainTestSplit(iris(), { seed: 9 })
    const { train, test: held, scaler } = standardize(split)
    const again = fitScaler(train.inputs, 4)
    for (let j = 0; j < 4; j++) {
      expect(again.mean[j]).toBeCloseTo(0, 6)
      expect(again.deviation[j]).toBeCloseTo(1, 6)
    }
    expect(held.inputs).toEqual(scaler.apply(split.test.inputs))
    expect(held.targets).toEqual(split.test.targets)
    expect(fitScaler(held.inputs, 4).mean[0]).not.toBeCloseTo(0, 3)
  })

  test('takes the mean off before it rounds: columns far from 0, such as times, keep their differences', () => {
    const times = [1.7e9, 1.7e9 + 10, 1.7e9 + 20, 1.7e9 + 30]
    const scaler = scalerFromState({ format: 'gradus-scaler/1', mean: [1.7e9 + 15], deviation: [1] })
    expect([...scaler.apply(times)]).toEqual([-15, -5, 5, 15])
  })

  test('leaves constant features alone', () => {
    const { apply, deviation } = fitScaler(Float32Array.of(0.1, 1, 0.1, 2, 0.1, 3), 2)
    expect(deviation[0]).toBe(1)
    expect(Math.abs(apply(Float32Array.of(0.1, 2))[0])).toBeLessThan(1e-6)
  })

  test('doubles that differ in their last digits, such as times a second apart, are no constants', () => {
    const times = Array.from({ length: 100 }, (_, i) => 1.7e9 + i)
    // the standard deviation of 0 … 99
    const deviation = Math.sqrt((100 ** 2 - 1) / 12)
    expect(fitScaler(times, 1).deviation[0]).toBeCloseTo(deviation, 6)
    expect(fitScaler(Float64Array.from(times), 1).deviation[0]).toBeCloseTo(deviation, 6)
    // 32-bit numbers cannot distinguish seconds there: only their rounding remains
    expect(fitScaler(Float32Array.from(times), 1).deviation[0]).toBe(1)
  })

  test('doubles that are equal are constants, whatever their mean rounds to', () => {
    for (const value of [0.1, 1 / 3, 1.7e9 + 0.1, -1e-30, 0]) {
      for (const rows of [1, 3, 7, 1000]) expect(fitScaler(new Array(rows).fill(value), 1).deviation[0], `${rows} × ${value}`).toBe(1)
    }
  })

  test('refuses ragged rows and none', () => {
    expect(() => fitScaler(new Float32Array(5), 2)).toThrow('5 values are no whole rows of 2 features')
    expect(() => fitScaler(new Float32Array(0), 2)).toThrow('no rows')
    expect(() => fitScaler(new Float32Array(2), 0)).toThrow('features wants a whole number ≥ 1')
    expect(() => fitScaler(new Float32Array(2), 2).apply(new Float32Array(3))).toThrow('Scaler.apply: 3 values')
  })

  test('a scaler comes back from JSON to the bit', () => {
    const inputs = blobs({ count: 50, features: 3, spread: 1e-3, seed: 1 }).inputs
    const scaler = fitScaler(inputs, 3)
    const again = scalerFromState(JSON.parse(JSON.stringify(scaler.state())))
    expect(again.mean).toEqual(scaler.mean)
    expect(again.deviation).toEqual(scaler.deviation)
    expect(again.apply(inputs)).toEqual(scaler.apply(inputs))
    expect(again.invert(inputs)).toEqual(scaler.invert(inputs))
  })

  test('a state is a copy, both ways', () => {
    const state = fitScaler(Float32Array.of(1, 3), 1).state()
    const scaler = scalerFromState(state)
    state.mean[0] = 9
    expect(scaler.mean[0]).toBe(2)
    scaler.state().deviation[0] = 9
    expect(scaler.deviation[0]).toBe(1)
  })

  test('refuses what is no state of a scaler, and damaged ones', () => {
    const state = fitScaler(Float32Array.of(1, 3), 1).state()
    const foreign: [unknown, string][] = [
      [null, 'null'],
      [JSON.parse(JSON.stringify(fitScaler(Float32Array.of(1, 3), 1))), 'an object with mean, deviation'],
      [{ format: 'gradus-table/1' }, "'gradus-table/1'"],
    ]
    for (const [given, got] of foreign)
      expect(() => scalerFromState(given as typeof state)).toThrow(`this is no state of a scaler, but ${got}; take it with scaler.state()`)
    const damage = [{ mean: [] }, { mean: [1, 2] }, { mean: [null] }, { mean: { 0: 1 } }, { deviation: [0] }, { deviation: ['1'] }]
    for (const part of damage)
      expect(() => scalerFromState({ ...state, ...part } as typeof state), JSON.stringify(part)).toThrow('wants finite means')
  })
})

describe('targets that are numbers', () => {
  const table = fromTable(
    Array.from({ length: 50 }, (_, i) => ({ x: i, y: 100 + 3 * i })),
    { target: 'y' },
  )

  test('are split with their rows', () => {
    const { train, test: held } = trainTestSplit(table, { seed: 2, testFraction: 0.3 })
    expect([train.count, held.count]).toEqual([35, 15])
    for (const { inputs, targets } of [train, held]) {
      expect(targets).toBeInstanceOf(Float32Array)
      inputs.forEach((x, i) => expect(targets[i]).toBe(100 + 3 * x))
    }
    expect([...train.inputs, ...held.inputs].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(() => trainTestSplit(table, { stratify: true })).toThrow('stratify wants classes')
  })

  test('are scaled on demand, and back', () => {
    const split = trainTestSplit(table, { seed: 2 })
    const plain = standardize(split)
    expect(plain.train.targets).toEqual(split.train.targets)
    expect(plain.targetScaler.invert([7])).toEqual(Float32Array.of(7))
    const { train, test: held, targetScaler } = standardize(split, { targets: true })
    const mean = Array.from(train.targets).reduce((sum, y) => sum + y / train.count, 0)
    const square = Array.from(train.targets).reduce((sum, y) => sum + y ** 2 / train.count, 0)
    expect(mean).toBeCloseTo(0, 5)
    expect(square).toBeCloseTo(1, 5)
    targetScaler.invert(held.targets).forEach((y, i) => expect(y).toBeCloseTo(split.test.targets[i], 3))
    expect(() => standardize(trainTestSplit(iris()), { targets: true })).toThrow('targets are classes')
  })
})

test('standardize of one data set names what it wants', () => {
  expect(() => standardize(iris() as Any)).toThrow(
    /^standardize: wants \{ train, test \}, as trainTestSplit gives them, got an object with inputs/,
  )
  expect(() => standardize(undefined as Any)).toThrow('got undefined')
})

describe('scalers', () => {
  const scaler = fitScaler([1, 10, 3, 30], 2)

  test('take whole numbers and plain arrays to floats', () => {
    expect(scaler.apply(Int32Array.of(2, 25))).toEqual(Float32Array.of(0, 0.5))
    expect(scaler.apply([2, 25])).toEqual(Float32Array.of(0, 0.5))
    expect(scaler.apply(Float64Array.of(2, 25))).toEqual(Float32Array.of(0, 0.5))
    expect(scaler.apply([])).toEqual(new Float32Array())
  })

  test('rows that are not in one array are named, and no longer NaN', () => {
    const wants = 'wants all rows in one array of numbers (of a tensor its data()), got'
    const rows = [
      [1, 10],
      [3, 30],
    ] as Any
    expect(() => fitScaler(rows, 2)).toThrow(
      new TypeError(`fitScaler: ${wants} an array of 2, the first an array of 2; flat() makes one of rows`),
    )
    expect(() => scaler.apply(rows)).toThrow(`Scaler.apply: ${wants} an array of 2, the first an array of 2`)
    expect(() => scaler.invert(tensor(rows) as Any)).toThrow(`Scaler.invert: ${wants} a Tensor`)
    expect(() => scaler.apply(undefined as Any)).toThrow(`Scaler.apply: ${wants} undefined`)
  })

  test('says what it wants where a data set comes instead', () => {
    const words = 'fitScaler: wants inputs in one array and the number of features, fitScaler(data.inputs, data.features), got'
    expect(() => (fitScaler as Any)(iris())).toThrow(
      new TypeError(`${words} an object with inputs, targets, count, features, classes, shape … and undefined`),
    )
    expect(() => (fitScaler as Any)([1, 2])).toThrow(new TypeError(`${words} an array of 2 and undefined`))
    expect(() => (fitScaler as Any)(undefined, 2)).toThrow(new TypeError(`${words} undefined and 2`))
  })

  test('a column that is not finite is named', () => {
    expect(() => fitScaler([1, NaN, 2, 3], 2)).toThrow('fitScaler: column 1 has values that are not finite')
    expect(() => fitScaler([1, 2, Infinity, 3], 2)).toThrow('fitScaler: column 0 has values that are not finite')
    for (const method of ['minMax', 'robust'] as const)
      for (const wrong of [-Infinity, Infinity, NaN])
        expect(() => fitScaler([1, 2, 1, wrong, 1, 3], 2, { method }), `${method} ${wrong}`).toThrow(
          'column 1 has values that are not finite',
        )
  })
})

describe('three sets', () => {
  test('are scaled by the training data alone, by any method', () => {
    const split = trainTestSplit(iris(), { validationFraction: 0.2 })
    for (const method of ['standard', 'minMax', 'robust'] as const) {
      const { train, validation, test: held, scaler } = standardize(split, { method })
      expect(validation.inputs).toEqual(scaler.apply(split.validation.inputs))
      expect(held).toEqual(scaler.apply(split.test))
      expect(fitScaler(split.train.inputs, 4, { method }).apply(split.train.inputs)).toEqual(train.inputs)
      expect(scalerFromState(JSON.parse(JSON.stringify(scaler.state()))).apply(split.test.inputs)).toEqual(held.inputs)
    }
  })

  test('min–max is from 0 to 1, robust has median 0 and quartiles 1 apart, as scikit-learn has them', () => {
    // RobustScaler and MinMaxScaler of [1, 2, 3, 4, 100]
    const column = [1, 2, 3, 4, 100]
    expect([...fitScaler(column, 1, { method: 'minMax' }).apply(column)]).toEqual(column.map((x) => Math.fround((x - 1) / 99)))
    expect([...fitScaler(column, 1, { method: 'robust' }).apply(column)]).toEqual([-1, -0.5, 0, 0.5, 48.5])
    expect([...fitScaler([5, 5], 1, { method: 'minMax' }).apply([5])]).toEqual([0])
    expect(() => fitScaler([1, Number.NaN], 1, { method: 'robust' })).toThrow('column 0 has values that are not finite')
    expect(() => fitScaler([1], 1, { method: 'max' as never })).toThrow(
      "fitScaler: method wants 'standard', 'minMax' or 'robust', got 'max'",
    )
    expect(() => fitScaler([1, 2], 1).apply(iris())).toThrow('Scaler.apply: learnt from 1 features, got a data set of 4')
  })
})
