/** Data sets from arrays: rows and targets of every kind, and refused arguments. */
import { describe, expect, test } from 'vitest'
import { fromArrays, iris, kFold, standardize, trainTestSplit } from '../../ts/data/index.js'
import { Adam, createBackend, crossEntropy, Dense, fit } from '../../ts/index.js'

// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

const backend = createBackend({ backend: 'js' })

describe('fromArrays', () => {
  const rows = [[1, 2], Float32Array.of(3, 4), Float64Array.of(5, 6)]

  test('texts are classes, plain numbers are numbers, an Int32Array has classes', () => {
    expect(fromArrays(rows, ['b', 'a', 'b'])).toEqual({
      inputs: Float32Array.of(1, 2, 3, 4, 5, 6),
      targets: Int32Array.of(1, 0, 1),
      count: 3,
      features: 2,
      shape: [3, 2],
      classes: 2,
      classNames: ['a', 'b'],
    })
    expect(fromArrays(rows, [true, false, true])).toMatchObject({
      targets: Int32Array.of(1, 0, 1),
      classes: 2,
      classNames: ['false', 'true'],
    })
    expect(fromArrays(rows, [1, 0.5, 2])).toMatchObject({ targets: Float32Array.of(1, 0.5, 2), classes: 0 })
    expect(fromArrays(rows, Float64Array.of(1, 2, 3))).toMatchObject({ targets: Float32Array.of(1, 2, 3), classes: 0 })
    expect(fromArrays(rows, Int32Array.of(0, 2, 0))).toMatchObject({ targets: Int32Array.of(0, 2, 0), classes: 3 })
    expect(fromArrays(rows, [0, 1, 1], { classes: 4 })).toMatchObject({ targets: Int32Array.of(0, 1, 1), classes: 4 })
  })

  test('goes where data sets go: cut, scaled, trained on', async () => {
    const { inputs, targets } = iris()
    const data = fromArrays(
      Array.from({ length: 150 }, (_, i) => [...inputs.subarray(4 * i, 4 * i + 4)]),
      targets,
    )
    expect(trainTestSplit(data, { seed: 3 }).test.targets).toEqual(trainTestSplit(iris(), { seed: 3 }).test.targets)
    expect(kFold(data, { folds: 3 }).map(({ test }) => test.count)).toEqual([50, 50, 50])
    const { train } = standardize(trainTestSplit(data))
    const model = new Dense(4, 3, { seed: 1, backend })
    const { epochs } = await fit(model, { ...train, loss: crossEntropy, optimizer: new Adam(model.parameters()), epochs: 2 })
    expect(epochs[1].loss).toBeLessThan(epochs[0].loss)
  })

  test.each<[string, unknown[], string]>([
    ['other numbers of targets', [rows, [1, 2]], 'fromArrays: 3 rows of inputs, but 2 targets'],
    [
      'ragged rows',
      [
        [[1], [1, 2]],
        [1, 2],
      ],
      'fromArrays: row 1 of inputs has 2 numbers, row 0 has 1',
    ],
    [
      'flat inputs',
      [
        [1, 2],
        [1, 2],
      ],
      'fromArrays: row 0 of inputs wants an array, got 1',
    ],
    ['no rows', [[], []], 'fromArrays: there is nothing to learn from'],
    ['a data set', [iris(), []], 'fromArrays: inputs wants an array, got an object with inputs'],
    [
      'a gap',
      [
        [[1], [null]],
        [1, 2],
      ],
      'fromArrays: column 0 of row 1 of inputs wants a number, got null',
    ],
    [
      'NaN',
      [
        [[1], [NaN]],
        [1, 2],
      ],
      'fromArrays: column 0 of row 1 of inputs wants a finite number (of 32 bits), got NaN',
    ],
    ['text among numbers', [rows, [1, 2, 'a']], "fromArrays: target 2 wants a number, got 'a'"],
    ['a number among texts', [rows, ['a', 'b', 3]], 'fromArrays: target 0 is text, so is each, got 3 as target 2'],
    [
      'one-hot targets',
      [
        rows,
        [
          [1, 0],
          [0, 1],
          [1, 0],
        ],
      ],
      'fromArrays: target 0 wants a number, got an array of 2',
    ],
    ['a number among booleans', [rows, [true, false, 1]], 'fromArrays: target 0 is a boolean, so is each, got 1 as target 2'],
    ['a class too large', [rows, [0, 1, 2], { classes: 2 }], 'fromArrays: classes are from 0 to 1, got 2 as target 2'],
    ['a class below 0 as the first', [rows, [-1, 1, 0], { classes: 2 }], 'fromArrays: classes are from 0 to 1, got -1 as target 0'],
    ['a number before booleans', [rows, [1, true, false]], 'fromArrays: target'],
    ['half a class', [rows, [0, 1, 0.5], { classes: 2 }], 'fromArrays: classes are from 0 to 1, got 0.5 as target 2'],
    ['names as classes', [rows, [0, 1, 1], { classes: ['a'] }], 'fromArrays: classes wants a whole number ≥ 0, got an array of 1'],
    ['options that do not exist', [rows, [0, 1, 1], { labels: 2 }], "fromArrays: there is no option 'labels'"],
  ])('refuses %s', (_, args, message) => {
    expect(() => (fromArrays as Any)(...args)).toThrow(message)
  })
})
