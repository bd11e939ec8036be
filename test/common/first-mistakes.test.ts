/** Mistakes of a first day: the message names the function, what it got, and the remedy. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Conv1d, Conv2d, ConvTranspose2d } from '../../ts/conv/index.js'
import { fromArrays, fromTable, readTable } from '../../ts/data/index.js'
import { trainHead } from '../../ts/head/index.js'
import { imagesInFolder } from '../../ts/images/index.js'
import { Adam, crossEntropy, Dense, fit, type Module, mse, Sequential, zeros } from '../../ts/index.js'
import { GRU, LSTM } from '../../ts/recurrent/index.js'
import { forecast } from '../../ts/series/index.js'
import { fitStream } from '../../ts/stream/index.js'
import { driftOf, evaluateTable, explainTable, inspectTable, prepareTable, type TableModel, trainTable } from '../../ts/table/index.js'

const FILE = 'docs/guide/iris.csv'
let model: TableModel
let tried = 0
beforeAll(async () => {
  model = (await trainTable(FILE, { target: 'species', epochs: 2, hidden: [4] })).model
})
afterAll(() => expect(tried).toBe(MISTAKES.length))

const rows = Array.from({ length: 30 }, (_, i) => ({ a: i, kind: i % 2 ? 'x' : 'y' }))
const gone = rows.map((row) => ({ ...row, kind: '' }))
const X = rows.map(({ a }) => [Math.sin(a), Math.cos(a)])
const y = X.map(([a, b]) => [a + b])
function* generated() {
  yield* rows
}
async function* aborted(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('a,kind\n1,x\n')
  throw new DOMException('stopped', 'AbortError')
}
const net = () => new Sequential([new Dense(2, 1)], { seed: 1 })
const fitted = (options: object, of: Module = net()) =>
  fit(of, { inputs: X, targets: y, loss: mse, optimizer: new Adam(of.parameters()), ...options } as never)
const streamed = (data: object[]) => fitStream(net(), { data, loss: mse, optimizer: new Adam(net().parameters()) } as never)
const target = { target: 'kind' } as const

const MISTAKES: [string, () => unknown, string | RegExp][] = [
  [
    'predict without await',
    // @ts-expect-error Argument of type 'Promise<…>' is not assignable to parameter of type '"rows want an await"'
    () => model.predict(readTable(FILE)),
    'predict: row 0 wants an object, { column: value, … }, got a Promise (await it)',
  ],
  ['trainTable without await', () => trainTable(readTable(FILE) as never, target), /^trainTable: wants rows .*got a Promise \(await it\)$/],
  [
    'trainTable of a generator',
    () => trainTable(generated() as never, target),
    /^trainTable: wants rows .*got a generator; \[...rows\] makes one$/,
  ],
  ['inspectTable of a number', () => inspectTable(5 as never, target), /^inspectTable: wants rows .*got 5$/],
  ['prepareTable of nothing', () => prepareTable(undefined as never, target), /^prepareTable: wants rows .*got undefined$/],
  ['trainTable of no rows', () => trainTable([], target), 'trainTable: there are no rows'],
  [
    'test rows without await',
    () => trainTable(rows, { ...target, test: readTable(FILE) as never }),
    /^trainTable: test: wants rows .*await it/,
  ],
  ['evaluateTable of a path', () => evaluateTable(model, FILE as never), /^evaluateTable: wants rows in an array.*; await readTable\(…\)/],
  ['driftOf of a path', () => driftOf(model, FILE as never), /^driftOf: wants rows in an array.*; await readTable\(…\)/],
  [
    'a class that the model does not know',
    () => evaluateTable(model, [{ sepal_length: 1, sepal_width: 1, petal_length: 1, petal_width: 1, species: 'rose' }]),
    "evaluateTable: column 'species' of row 0 wants one of setosa, versicolor, virginica, got 'rose'",
  ],
  ['explainTable of nothing', () => explainTable(model, undefined as never), 'explainTable: wants rows in an array, got undefined'],
  [
    'explainTable of a Set',
    () => explainTable(model, new Set(rows) as never),
    'explainTable: wants rows in an array, got a Set; [...rows] makes one',
  ],
  ...(['evaluateTable', 'explainTable', 'driftOf'] as const).flatMap((name): typeof MISTAKES => {
    const call = { evaluateTable, explainTable, driftOf }[name] as (model: never, rows: object[]) => unknown
    const wanted = `${name}: wants a model of trainTable or loadTableModel, got`
    return [
      [`${name} without await`, () => call(trainTable(rows, { ...target, epochs: 1 }) as never, rows), `${wanted} a Promise (await it)`],
      [`${name} of model and report`, () => call({ model, report: {} } as never, rows), `${wanted} an object with model, report`],
    ]
  }),
  ['a stream that is aborted', () => trainTable(aborted(), target), 'stopped'],
  [
    'forecast of a path',
    () => forecast('x.csv' as never, { time: 'a', value: 'b' }),
    /^forecast: wants rows in an array.*; await readTable/,
  ],
  ['fromTable of a generator', () => fromTable(generated() as never, target), 'got a generator; [...rows] makes one'],
  [
    'an invalid date',
    () => fromTable([{ a: new Date('x'), kind: 'x' }], target),
    "column 'a' of row 0 wants a number, text, boolean or date, got an invalid Date",
  ],
  [
    'a target of gaps',
    () => trainTable(gone, target),
    "trainTable: a value is missing in each of the 30 rows: no value in 'kind' (empty in 30)",
  ],
  [
    'seconds as a text',
    () => trainTable(rows, { ...target, time: '60s' as never }),
    "trainTable: time wants a number of seconds above 0, got '60s'",
  ],
  ['channels first', () => new Conv2d(3, 8, 3).predict(zeros([2, 3, 28, 28])), 'channels come last: transpose(x, [0, 2, 3, 1])'],
  ['channels first', () => new Conv1d(3, 8, 3).predict(zeros([2, 3, 28])), 'channels come last: transpose(x, [0, 2, 1])'],
  ['channels first', () => new ConvTranspose2d(3, 8, 3).predict(zeros([2, 3, 28, 28])), 'channels come last'],
  [
    'GRU behind GRU',
    () => new Sequential([new GRU(1, 8), new GRU(8, 8)] as never).predict(zeros([2, 5, 1]) as never),
    'returnSequences: true',
  ],
  [
    'LSTM behind GRU',
    () => new Sequential([new GRU(1, 8), new LSTM(8, 8)] as never).predict(zeros([2, 5, 1]) as never),
    'returnSequences: true',
  ],
  [
    'classes of steps',
    () =>
      fitted(
        { inputs: zeros([30, 5, 1]), targets: rows.map(({ a }) => a % 2), loss: crossEntropy },
        new Sequential([new GRU(1, 4, { returnSequences: true }), new Dense(4, 2)]),
      ),
    'for one class per sequence leave out returnSequences, for one per step take nextTokenLoss',
  ],
  [
    'a single row in arrays',
    () => streamed([{ inputs: [1, 2], targets: [1] }]),
    'the target of a single row is a number, targets: 1, and a batch of one has inputs [[1, 2]]',
  ],
  ['acc', () => fitted({ metrics: ['acc'] }), 'did you mean accuracy?'],
  ['validation_split', () => fitted({ validation_split: 0.2 }), 'did you mean validationFraction?'],
  ['random_state', () => fitted({ random_state: 1 }), 'did you mean seed?'],
  ['batch_size', () => fitted({ batch_size: 1 }), 'did you mean batchSize?'],
  ['validation of another width', () => fitted({ validation: { inputs: y, targets: y } }), /^fit: validation: Dense\(2, 1\)/],
  ['inputs without rows', () => fitted({ inputs: y.flat() }), 'rows of 2 numbers each are [[…], […]]'],
  [
    'no folder',
    () => imagesInFolder('nope'),
    'imagesInFolder: nope wants a folder with a folder of pictures for each class: there is none',
  ],
  ['a file as folder', () => imagesInFolder(FILE), 'for each class: it is a file'],
  [
    'texts as vectors',
    () => trainHead([['1'], ['2']] as never, ['a', 'b']),
    "row 0 wants finite numbers, got '1' at place 0; row.map(Number) makes numbers of texts",
  ],
  [
    'a page as table',
    () => readTable(new Blob(['<!DOCTYPE html><html>404'])),
    'is an HTML page; download the file itself, instead of the page that shows it',
  ],
]

test.each(MISTAKES)('%s', async (_, run, message) => {
  tried++
  await expect((async () => run())()).rejects.toThrow(message)
})

test('fromArrays takes rows of one number as targets, as fit does', () => {
  expect(fromArrays(X, y as never)).toEqual(fromArrays(X, y.flat()))
  expect(fromArrays([[1], [2]], [[3], [4]]).targets).toEqual(Float32Array.of(3, 4))
  expect(() => fromArrays(X, X as never)).toThrow('fromArrays: target 0 wants a number, got an array of 2')
})
