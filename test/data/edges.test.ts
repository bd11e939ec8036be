/** What a user gives to data tools nearly right: arrays in the place of data sets, rows in the place of one array. */
import { describe, expect, test } from 'vitest'
import { fitScaler, fromArrays, fromTable, iris, kFold, loadMnist, selectRows, standardize, trainTestSplit } from '../../ts/data/index.js'
import { Adam, createBackend, crossEntropy, Dense, fit, tensor } from '../../ts/index.js'

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
    ['half a class', [rows, [0, 1, 0.5], { classes: 2 }], 'fromArrays: classes are from 0 to 1, got 0.5 as target 2'],
    ['names as classes', [rows, [0, 1, 1], { classes: ['a'] }], 'fromArrays: classes wants a whole number from 0, got an array of 1'],
    ['options that do not exist', [rows, [0, 1, 1], { labels: 2 }], "fromArrays: there is no option 'labels'"],
  ])('refuses %s', (_, args, message) => {
    expect(() => (fromArrays as Any)(...args)).toThrow(message)
  })
})

test.each<[string, (data: Any) => unknown]>([
  ['trainTestSplit', trainTestSplit],
  ['kFold', kFold],
  ['selectRows', (data) => selectRows(data, [0])],
  ['standardize', (train) => standardize({ train, test: iris() })],
])('%s of what is no data set says what makes one', (name, call) => {
  const wants = `${name}: wants a data set, as fromTable and fromArrays make them, got`
  expect(() => call([[1], [2]])).toThrow(new TypeError(`${wants} an array of 2`))
  expect(() => call({ inputs: [[1]], targets: [2] })).toThrow(new TypeError(`${wants} an object with inputs, targets`))
})

test('standardize of one data set names what it wants', () => {
  expect(() => standardize(iris() as Any)).toThrow(
    /^standardize: wants \{ train, test \}, as trainTestSplit gives them, got an object with inputs/,
  )
  expect(() => standardize(undefined as Any)).toThrow('got undefined')
})

test('selectRows wants indices', () => {
  expect(() => selectRows(iris(), 3 as Any)).toThrow(new TypeError('selectRows: wants indices of rows in an array, got 3'))
})

test('loadMnist names its option', async () => {
  await expect(loadMnist('/data' as Any)).rejects.toThrow("loadMnist: wants options as an object, { directory: … }, got '/data'")
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
    expect(() => scaler.invert(tensor(rows, { backend }) as Any)).toThrow(`Scaler.invert: ${wants} a Tensor`)
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
  })
})

describe('fromTable', () => {
  test('finds commas in numbers, which would have been categories', () => {
    const rows = [
      { a: '1,5', y: 1 },
      { a: '-2,25', y: 2 },
      { a: '3', y: 3 },
    ]
    expect(() => fromTable(rows, { target: 'y' })).toThrow(
      "column 'a' has a comma in a number, '1,5' in row 0; write numbers with a point before the decimals and nothing between thousands, or add 'a' to categories",
    )
    expect(fromTable(rows, { target: 'y', categories: ['a'] }).features).toBe(3)
    for (const a of ['1,200', '-1,200,000', ' 1,200.50', '12,34,567', '1.200,50'])
      expect(() =>
        fromTable(
          [
            { a, y: 1 },
            { a: '900', y: 2 },
          ],
          { target: 'y' },
        ),
      ).toThrow(`has a comma in a number, '${a}' in row 0`)
    expect(
      fromTable(
        [
          { a: '1,5,2', y: 1 },
          { a: '2,5,7', y: 2 },
        ],
        { target: 'y' },
      ).features,
    ).toBe(2)
  })

  test('says which option is no array, and that a target is one column', () => {
    const rows = [{ a: 1, y: 2 }]
    expect(() => fromTable(rows, { target: 'y', inputs: 'a' as Any })).toThrow(new TypeError("fromTable: inputs wants an array, got 'a'"))
    expect(() => fromTable(rows, { target: 'y', categories: 'a' as Any })).toThrow("fromTable: categories wants an array, got 'a'")
    expect(() => fromTable(rows, { target: 'y', missingValues: 'NA' as Any })).toThrow("fromTable: missingValues wants an array, got 'NA'")
    expect(() => fromTable(rows, { target: ['y'] as Any })).toThrow('fromTable: target wants the name of one column, got an array of 1')
  })
})

test('a column that is called as a member of every object is a column', () => {
  const rows = [
    { constructor: 'Ferrari', grid: 1, y: 1 },
    { constructor: null, grid: null, y: 2 },
    { constructor: 'Lotus', grid: 4, y: 2 },
  ]
  expect(() => fromTable(rows as object[], { target: 'y', missing: { grid: 'mean' } })).toThrow("no value in column 'constructor' of row 1")
})

test('commas between thousands are no decimal commas', () => {
  const table = (p: string[]) => () =>
    fromTable(
      p.map((p, y) => ({ p, y })),
      { target: 'y' },
    )
  for (const numbers of [
    ['1,200', '3,400'],
    ['1,200,000', '2,300,000'],
    ['1,200.50', '2,300.75'],
  ])
    expect(table(numbers)).toThrow(`column 'p' has a comma in a number, '${numbers[0]}' in row 0`)
})

test('a data set for its inputs', () => {
  expect(() => (fitScaler as (data: unknown) => unknown)(iris())).toThrow('fitScaler(data.inputs, data.features)')
})

describe('texts that are hardly categories', () => {
  const rows = (text: (i: number) => unknown, count = 25) => Array.from({ length: count }, (_, i) => ({ text: text(i), x: i, y: i % 2 }))

  test('dates are an error that says what to make of them, unless they are named as categories', () => {
    for (const date of ['2024-01-0%', '2024-01-0% 10:30', '2024-01-0%T10:30:00Z']) {
      const dated = rows((i) => date.replace('%', String(1 + (i % 3))), 6)
      expect(() => fromTable(dated, { target: 'y' })).toThrow(
        `column 'text' has dates, '${date.replace('%', '1')}' in row 0; make numbers of them (Date.parse(text) / 864e5 are days), leave`,
      )
      expect(fromTable(dated, { target: 'y', categories: ['text'] }).features).toBe(4)
      expect(fromTable(dated, { target: 'y', inputs: ['x'] }).features).toBe(1)
      expect(fromTable(dated, { target: 'text', inputs: ['x'] }).classes).toBe(3)
    }
    expect(
      fromTable(
        rows((i) => ['2024-01-01', 'never'][i % 2]),
        { target: 'y' },
      ).features,
    ).toBe(3)
    expect(() =>
      fromTable(
        rows(() => new Date(0)),
        { target: 'y' },
      ),
    ).toThrow('got a Date; its getTime() / 864e5 are days')
  })

  test('another text in each row is an error from twenty rows on, unless it is named as categories', () => {
    const named = rows((i) => `user ${i}`)
    expect(() => fromTable(named, { target: 'y' })).toThrow(
      "column 'text' has another text in each of 25 rows, as names and notes have; leave 'text' out of inputs, or add it to categories",
    )
    expect(fromTable(named, { target: 'y', categories: ['text'] }).features).toBe(26)
    expect(fromTable(named.slice(6), { target: 'y' }).features).toBe(20)
    expect(fromTable([...named, named[3]], { target: 'y' }).features).toBe(26)
  })

  test('a column that is to be an input twice', () => {
    expect(() =>
      fromTable(
        rows(() => 'a'),
        { target: 'y', inputs: ['x', 'text', 'x'] },
      ),
    ).toThrow("fromTable: inputs has 'x' twice")
  })
})
