/** trainTable: from rows to a model that takes rows, its file, its report, and refused arguments. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseCsv } from '../../ts/data/index.js'
import { Ensemble, Generator } from '../../ts/index.js'
import { chooseGreedily } from '../../ts/select/choose-greedily.js'
import {
  evaluateTable,
  formatMetric,
  loadTableModel,
  type MeasuredMetric,
  type PairedDifference,
  prepareTable,
  reportHtml,
  type TableProgress,
  tableToFunction,
  trainTable,
} from '../../ts/table/index.js'
import { squaredErrorOf } from '../../ts/table/measure/losses.js'
import { importanceOf, measureMetrics } from '../../ts/table/measure/measure.js'
import { ColumnPlan } from '../../ts/table/rows/column-plan.js'
import { fitFeatures, inputsOf, widthOf } from '../../ts/table/rows/features.js'
import { setAside } from '../../ts/table/rows/set-aside.js'
import { byClock, type ClockName, counted } from '../tools/clocks.js'

const penguins = () => parseCsv(readFileSync('docs/guide/penguins.csv', 'utf8'))
const iris = () => parseCsv(readFileSync('docs/guide/iris.csv', 'utf8'))

describe('classes', async () => {
  const rows = penguins()
  const { model, report } = await trainTable(rows, { target: 'species', seed: 1 })

  test('a good model, with a report of test rows that add up', () => {
    expect([report.task, report.target, report.classNames]).toEqual(['classification', 'species', ['Adelie', 'Chinstrap', 'Gentoo']])
    const { train, test, dropped } = report.rows
    expect(train + test + dropped).toBe(rows.length)
    const [accuracy] = report.metrics
    expect(accuracy).toMatchObject({ name: 'accuracy', better: 'more' })
    expect(accuracy.value).toBeGreaterThan(0.95)
    expect(accuracy.low).toBeLessThanOrEqual(accuracy.value)
    expect(accuracy.high).toBeGreaterThanOrEqual(accuracy.value)
    expect(accuracy.baseline).toBeLessThan(0.5)
    const confusion = report.confusion as number[][]
    expect(confusion.flat().reduce((sum, n) => sum + n, 0)).toBe(test)
    expect(confusion.reduce((sum, row, i) => sum + row[i], 0) / test).toBeCloseTo(accuracy.value, 10)
    expect(report.importance.map(({ column }) => column).sort()).toEqual([...model.columns].sort())
    expect(report.importance[0].rise).toBeGreaterThan(0)
    expect(report.calibration.bins.reduce((sum, bin) => sum + bin.rows, 0)).toBe(test)
    expect(report.nets).toEqual({ trained: 5, used: 5 })
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  })

  test('predict takes raw rows: numbers as text, gaps, unknown values, no target', () => {
    const [row] = rows
    const { species: _, ...rest } = row
    const answer = model.predict(rest)
    expect(answer.class).toBe('Adelie')
    expect(answer.probability).toBe(answer.probabilities.Adelie)
    expect(Object.values(answer.probabilities).reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6)
    expect(model.predict([rest])[0]).toEqual(answer)
    expect(model.predict({ ...rest, bill_length_mm: Number(row.bill_length_mm) })).toEqual(answer)
    expect(model.predict({ island: 'Dream' }).class).toBeTypeOf('string')
    expect(model.predict([])).toEqual([])
    model.predict({ ...rest, island: 'Atlantis' })
    expect(model.unknown.island.count).toBeGreaterThan(0)
    expect(() => model.predict({ ...rest, body_mass_g: 'heavy' })).toThrow("column 'body_mass_g' of row 0")
    expect(() => model.predict(rest, { coverage: 2 })).toThrow('coverage wants a number above 0 and below 1, got 2')
  })

  test('one file holds all of it', async () => {
    const bytes = model.bytes()
    const again = await loadTableModel(bytes)
    expect(again.predict(rows.slice(0, 20))).toEqual(model.predict(rows.slice(0, 20)))
    expect([again.task, again.target, again.columns, again.classNames]).toEqual([model.task, model.target, model.columns, model.classNames])
    expect(again.net).toBeInstanceOf(Ensemble)
    const header = new TextDecoder().decode(bytes.subarray(8, 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)))
    expect(header).toContain('gradus-table-model/1')
    const broken = bytes.slice()
    broken[broken.length - 5] ^= 1
    await expect(loadTableModel(broken)).rejects.toThrow()
  })

  test('evaluateTable says the same of the same rows', () => {
    const { rows: count, metrics, confusion } = evaluateTable(model, rows)
    expect(count).toBe(344)
    expect(metrics[0].value).toBeGreaterThan(0.96)
    expect(confusion?.length).toBe(3)
    expect(() => evaluateTable(model, [{ island: 'Dream' }])).toThrow("no row has a value in column 'species'")
    const [first] = rows as Record<string, unknown>[]
    const some = [{ ...first, species: '' }, first, { ...first, bill_depth_mm: { mm: 5 } }]
    expect(() => evaluateTable(model, some)).toThrow("column 'bill_depth_mm' of row 2 wants a number")
    expect(evaluateTable(model, some.slice(0, 2)).rows).toBe(1)
  })

  test('the page holds everything it shows', () => {
    const page = reportHtml({ ...report, target: '<b>&"' })
    expect(page).toMatch(/^<!doctype html>/)
    expect(page.match(/<svg /g)).toHaveLength(4)
    expect(page).not.toMatch(/<script|<link|<img|url\(|https?:(?!\/\/www\.w3\.org)/)
    expect(page).not.toContain('<b>&"')
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
  })
})

test('accuracy has an interval where all rows are right, too: Wilson’s', () => {
  // statsmodels.stats.proportion.proportion_confint(69, 69, method='wilson'), and of 8 in 10
  for (const [right, rows, low, high] of [
    [69, 69, 0.9472627410228545, 1],
    [8, 10, 0.49016246912213235, 0.943317849062233],
  ]) {
    const p = Float64Array.from({ length: 2 * rows }, (_, i) => ((i % 2 === 0) === i >> 1 < right ? 0.9 : 0.1))
    const targets = new Int32Array(rows)
    const [accuracy] = measureMetrics(p, targets, [0.5, 0.5], 2, 1)
    expect([accuracy.name, accuracy.value]).toEqual(['accuracy', right / rows])
    expect(accuracy.low).toBeCloseTo(low, 6)
    expect(accuracy.high).toBeCloseTo(high, 6)
  }
})

test('numbers come with intervals that hold what they say', async () => {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const [a, b] = [Math.sin(i * 12.9898) * 3, Math.cos(i * 78.233) * 2]
    const noise = Math.sin(i * 3571.7)
    return { a, b, kind: i % 3 === 0 ? 'x' : 'y', y: 50 + 10 * a * (i % 3 === 0 ? 1 : -1) + 5 * b + 2 * noise }
  })
  const { model, report } = await trainTable(rows, { target: 'y' })
  expect(report.task).toBe('regression')
  expect(report.metrics[0]).toMatchObject({ name: 'R²' })
  expect(report.metrics[0].value).toBeGreaterThan(0.9)
  expect(report.examples?.length).toBeGreaterThan(50)
  const answers = model.predict(rows, { coverage: 0.8 })
  const inside = answers.filter(({ low, high }, i) => low <= rows[i].y && rows[i].y <= high).length / rows.length
  expect(inside).toBeGreaterThan(0.7)
  expect(model.predict(rows[0], { coverage: 0.99 }).high).toBeGreaterThan(answers[0].high)
  expect(report.calibration.error).toBeLessThan(0.25)
})

test('the same seed gives the same model; test rows of its own; a report that was asked for', async () => {
  const rows = iris()
  const [test, train] = [rows.filter((_, i) => i % 5 === 0), rows.filter((_, i) => i % 5 !== 0)]
  const runs = [await trainTable(train, { target: 'species', test }), await trainTable(train, { target: 'species', test })]
  expect(runs[0].report.rows).toEqual({ train: 120, test: 30, dropped: 0 })
  expect(runs[0].model.bytes()).toEqual(runs[1].model.bytes())
})

test('all rows are used where those with a gap in a column are left out', async () => {
  // the second class is in the last rows alone
  const rows = Array.from({ length: 120 }, (_, i) => ({ age: i % 2 === 0 ? '' : i % 37, size: i, kind: i < 60 ? 'small' : 'large' }))
  const { report } = await trainTable(rows, { target: 'kind', inputs: ['age', 'size'], missing: 'drop' })
  expect(report.rows.train + report.rows.test).toBe(60)
  expect(report.confusion?.every((row) => row.some((n) => n > 0))).toBe(true)
})

test('time is kept, and spent on several kinds of nets', async () => {
  const seen: number[] = []
  const onProgress = ({ share }: TableProgress) => void seen.push(share)
  const { report } = await counted(() => trainTable(iris(), { target: 'species', time: 100, onProgress }))
  // by the clock of the test it is neither cut short nor exceeded
  expect(report.seconds).toBeGreaterThan(80)
  expect(report.seconds).toBeLessThan(110)
  expect(report.nets.trained).toBeGreaterThanOrEqual(5)
  expect(report.candidates.reduce((sum, { votes }) => sum + votes, 0)).toBeGreaterThan(0)
  expect(seen.every((share) => share >= 0 && share <= 1)).toBe(true)
})

test('nets that diverge are told apart from time that is over, each with its remedy', async () => {
  const diverged =
    /^trainTable: every net diverged: (loss|weights|validation)[^.;]*\. Lower the learningRate \(now 1000; 0\.01 is usual for so many rows\)$/
  await expect(trainTable(iris(), { target: 'species', learningRate: 1000, hidden: [64, 64, 64, 64] })).rejects.toThrow(diverged)
  // with a clock on which all time is over at once
  const { report } = await byClock('runs ahead', 0, () => trainTable(iris(), { target: 'species', time: 0.01 }))
  expect(report.nets.used).toBeGreaterThan(0)
})

test('progress has phases, and what is left holds the report', async () => {
  const seen: TableProgress[] = []
  const lines = Array.from({ length: 30_000 }, (_, i) => `${Math.sin(i)},${i % 7},${Math.cos(3 * i) + (i % 7)}`)
  const file = new TextEncoder().encode(`a,b,y\n${lines.join('\n')}\n`)
  await byClock('runs ahead', 0, () =>
    trainTable(file, { target: 'y', epochs: 2, hidden: [4], onProgress: (progress) => void seen.push({ ...progress }) }),
  )
  const phases = seen.map(({ phase }) => phase)
  expect([...new Set(phases)]).toEqual(['reading', 'encoding', 'training', 'measuring'])
  const steps = seen.filter(({ phase }) => phase === 'encoding').map(({ step }) => step)
  expect([...new Set(steps)]).toEqual(['a look at each column', 'columns as numbers', 'test rows as numbers', 'inputs of nets'])
  const reading = seen.filter(({ phase }) => phase === 'reading')
  expect(reading.length).toBeGreaterThan(2)
  expect(reading.at(-1)?.bytes).toEqual({ read: file.length, total: file.length })
  expect(seen.at(-1)).toMatchObject({ rows: 30_000, columns: 3, nets: 2 })
  const training = seen.filter(({ phase, secondsLeft }) => phase === 'training' && !Number.isNaN(secondsLeft))
  expect(training.length).toBeGreaterThan(1)
  for (const { seconds, secondsLeft, share } of training) {
    expect(secondsLeft).toBeGreaterThan(0.01 * seconds)
    expect(share).toBeGreaterThan(0)
    expect(share).toBeLessThan(1)
  }
  expect(seen.at(-1)?.secondsLeft).toBeGreaterThan(0)
})

test('intervals of very many rows come from some of them, and are those of all', () => {
  const random = new Generator(1)
  const count = 100_000
  const [targets, noise] = [Float32Array.from(random.normals(count)), random.normals(count)]
  const predictions = Float64Array.from(targets, (y, i) => y + noise[i])
  const [r2] = measureMetrics(predictions, targets, [0], 0, 1)
  // the standard error of R² here, by the bootstrap of all rows
  expect(r2.high - r2.low).toBeGreaterThan(0.012)
  expect(r2.high - r2.low).toBeLessThan(0.035)
  expect(r2.low).toBeLessThan(r2.value)
  expect(r2.high).toBeGreaterThan(r2.value)
})

test('many rows and little time: what is trained and what follows are cut to it', async () => {
  const rows = Array.from({ length: 16_000 }, (_, i) => {
    const numbers = Object.fromEntries(Array.from({ length: 12 }, (_, j) => [`x${j}`, Math.sin(i * (j + 1) * 0.37)]))
    return { ...numbers, y: numbers.x0 * numbers.x1 + Math.cos(i) }
  })
  // the second is over before a net is trained, however fast the machine is
  const { report } = await byClock('runs ahead', 1, () => trainTable(rows, { target: 'y', time: 1 }))
  expect(report.curve.loss.length).toBeLessThan(24)
  expect(report.importance).toHaveLength(12)
  expect(report.metrics.map(({ name }) => name)).toEqual(['R²', 'RMSE', 'mean absolute error'])
})

test('selection, intervals and importance end where their time does, with what they have', () => {
  const over = performance.now() - 1
  const targets = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i))
  const voters = [0.3, 0.1, 0.2].map((off) => ({ predictions: Float64Array.from(targets, (y, i) => y + off * Math.cos(i * 3)) }))
  expect(chooseGreedily(voters, squaredErrorOf(targets), { maxChoices: 20, until: over })).toEqual([0, 1, 0])
  const few = measureMetrics(voters[0].predictions, targets, [0], 0, 1, over)
  const all = measureMetrics(voters[0].predictions, targets, [0], 0, 1)
  expect(few.map(({ value }) => value)).toEqual(all.map(({ value }) => value))
  expect(few.every(({ low, high, value }) => low <= value && value <= high)).toBe(true)
  let rowsAsked = 0
  const lossesOf = (encoded: Float32Array, rows: number) => {
    rowsAsked += encoded.length / 2
    return Array.from({ length: encoded.length / 2 / rows }, (_, part) => {
      const own = encoded.subarray(2 * rows * part, 2 * rows * (part + 1))
      return targets.subarray(0, rows).reduce((sum, y, i) => sum + (y - own[2 * i]) ** 2, 0) / rows
    })
  }
  const encoded = Float32Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? targets[i / 2] : i))
  const spans = [0, 1].map((from) => ({ column: `x${from}`, from, size: 1 }))
  const [first, second] = importanceOf(encoded, 2, spans, lossesOf, 1, { until: over })
  expect(rowsAsked).toBe(32 * (3 + 2))
  expect([first.column, second.column, second.rise]).toEqual(['x0', 'x1', 0])
  expect(first.rise).toBeGreaterThan(0.2)
  // without a time limit all rows are used several times; a large model uses only a few rows
  expect(importanceOf(encoded, 2, spans, lossesOf, 1, { weights: 100 })[0].deviation).toBeGreaterThan(0)
  rowsAsked = 0
  importanceOf(encoded, 2, spans, lossesOf, 1, { weights: 1e9 })
  expect(rowsAsked).toBe(32 * (1 + 2 * 3))
})

test('without a time the report depends on no clock', async () => {
  const rows = Array.from({ length: 3000 }, (_, i) => ({ x: Math.sin(i), z: Math.cos(i * 1.3), kind: Math.sin(i) > 0.1 ? 'a' : 'b' }))
  const reportBy = async (name: ClockName) => {
    const { report } = await byClock(name, 3, () => trainTable(rows, { target: 'kind', hidden: [4], epochs: 2, seed: 2 }))
    return { ...report, seconds: 0 }
  }
  const wanted = await reportBy('stands still')
  expect(wanted.importance).toHaveLength(2)
  for (const name of ['runs ahead', 'jumps'] as const) expect(await reportBy(name)).toEqual(wanted)
})

test('two models of one table are compared row by row on its test rows', async () => {
  const options = { target: 'species', exclude: ['petal_length'], seed: 1 }
  const good = await trainTable(iris(), options)
  const bad = await trainTable(iris(), { ...options, hidden: [2], epochs: 1, compareWith: good.model })
  const again = await trainTable(iris(), { ...options, compareWith: bad.model })
  const [worse, better] = [bad, again].map(({ report }) => report.compared?.other as PairedDifference)
  expect(worse.high).toBeLessThan(0)
  expect(better.difference).toBe(-worse.difference)
  expect(better.low).toBeCloseTo(-worse.high, 12)
  const lossOf = ({ report }: typeof good) => report.metrics.find(({ name }) => name === 'log loss') as MeasuredMetric
  expect(better.difference).toBeCloseTo((lossOf(bad).value - lossOf(good).value) / lossOf(good).baseline, 4)
  expect(good.report.compared).not.toHaveProperty('other')
  const same = await trainTable(iris(), { ...options, compareWith: good.model })
  expect(same.report.compared?.other).toEqual({ difference: 0, low: 0, high: 0 })
  await expect(trainTable(iris(), { ...options, seed: 2, compareWith: good.model })).rejects.toThrow(
    'trainTable: compareWith wants a model of the same rows and columns',
  )
  await expect(trainTable(iris(), { ...options, compareWith: good as never })).rejects.toThrow(
    'trainTable: compareWith wants a model of trainTable, got an object',
  )
})

test('a signal ends it with its reason where there is no net', async () => {
  const controller = new AbortController()
  controller.abort(new Error('enough'))
  await expect(trainTable(iris(), { target: 'species', signal: controller.signal })).rejects.toThrow('enough')
})

test('a signal in the learning curve takes away the curve, not the model', async () => {
  const options = { target: 'species', epochs: 3, hidden: [8] } as const
  const whole = await trainTable(iris(), options)
  const controller = new AbortController()
  const onProgress = ({ step }: TableProgress) => {
    if (step === 'a learning curve') controller.abort()
  }
  const { model, report } = await trainTable(iris(), { ...options, learningCurve: true, signal: controller.signal, onProgress })
  expect(controller.signal.aborted).toBe(true)
  expect(report).not.toHaveProperty('learningCurve')
  expect(model.bytes()).toEqual(whole.model.bytes())
  expect(report.metrics).toEqual(whole.report.metrics)
})

test('of three rows there is a model that says how little it knows; fewer are told', async () => {
  for (const target of ['kind', 'size'] as const) {
    const rows = [1, 2, 3, 4].map((x) => ({ x, kind: x % 2 ? 'odd' : 'even', size: 2.5 * x }))
    const { model, report } = await trainTable(rows.slice(0, 3), { target })
    expect(report.rows).toEqual({ train: 2, test: 1, dropped: 0 })
    expect(report.advice.join()).toContain('The test set has 1 row, so the intervals are wide')
    const [answer] = model.predict([rows[3]])
    if (target === 'kind') expect(Object.keys(answer.probabilities)).toEqual(['even', 'odd'])
    else expect(answer.value).toBeGreaterThan(-100)
    await expect(trainTable(rows.slice(0, 2), { target })).rejects.toThrow(
      `trainTable: 2 rows with a value of '${target}' are too few: it wants 3 at least`,
    )
  }
})

test('numbers that 32 bits do not tell apart are learnt, measured and answered as they are', async () => {
  // seconds since 1970: 32 bits know every second minute
  const rows = Array.from({ length: 200 }, (_, i) => ({ x: (i * 37) % 100, y: 1.6e9 + ((i * 37) % 100) }))
  const { model, report } = await trainTable(rows, { target: 'y', hidden: [] })
  const answers = model.predict(rows)
  expect(Math.max(...answers.map(({ value }, i) => Math.abs(value - rows[i].y)))).toBeLessThan(1)
  expect(report.metrics.find(({ name }) => name === 'R²')?.value).toBeGreaterThan(0.999)
  for (const { true: y, predicted } of report.examples ?? []) expect(Math.abs(y - predicted)).toBeLessThan(1)
  expect((await loadTableModel(model.bytes())).predict(rows)).toEqual(answers)
  expect(evaluateTable(model, rows).metrics.find(({ name }) => name === 'RMSE')?.value).toBeLessThan(1)
  const { scale } = await prepareTable(rows, { target: 'y' })
  expect(scale.mean).toBeCloseTo(1.6e9 + 49.5, -1)
  const wrong = trainTable(
    rows.map((row) => ({ ...row, y: 1e12 + 4 })),
    { target: 'y' },
  )
  await expect(wrong).rejects.toThrow("column 'y' is 1000000000004 in all rows")
})

test('classes of single rows are learnt from, and one that only the latest rows have is told by its row', async () => {
  const rows = Array.from({ length: 162 }, (_, i) => ({ t: i, x: (i * 37) % 100, y: i < 100 ? 'a' : i < 150 ? 'b' : `c${i}` }))
  for (let seed = 0; seed < 3; seed++) {
    expect((await prepareTable(rows, { target: 'y', seed })).classes).toBe(14)
    expect((await trainTable(rows, { target: 'y', seed, hidden: [4], epochs: 1 })).report.classNames).toHaveLength(14)
  }
  const message = (who: string, row: number) => `${who}: column 'y' of row ${row} has the class 'c${row}', which no row to learn from has`
  await expect(trainTable(rows, { target: 'y', splitBy: 't' })).rejects.toThrow(message('trainTable', 150))
  await expect(prepareTable(rows.slice(0, 153), { target: 'y', splitBy: 't', testFraction: 0 })).rejects.toThrow(
    message('prepareTable', 150),
  )
})

test('what cannot be learnt is told', async () => {
  const rows = iris()
  await expect(trainTable(rows, {} as never)).rejects.toThrow(/^trainTable: target wants the name of the column to predict, got undefined$/)
  const advised = "put targets y beside inputs X as one more column: trainTable(X.map((row, i) => ({ ...row, y: y[i] })), { target: 'y' })"
  for (const y of [[0, 1], Float32Array.of(0, 1)]) await expect(trainTable([[1], [2]], y as never)).rejects.toThrow(advised)
  const [X, y] = [Array.from({ length: 20 }, (_, i) => [i, i % 3]), Array.from({ length: 20 }, (_, i) => (i > 9 ? 'b' : 'a'))]
  const called = await trainTable(
    X.map((row, i) => ({ ...row, y: y[i] })),
    { target: 'y', hidden: [] },
  )
  expect(called.model.columns).toEqual(['0', '1'])
  await expect(trainTable(rows, 'species' as never)).rejects.toThrow("got 'species'; give { target: 'species' }")
  await expect(trainTable('a,b\n1,2', { target: 'b' })).rejects.toThrow(/got the text of a table, 'a,b\\n1,2'; parseCsv takes such text/)
  await expect(trainTable(rows, { target: 'kind' })).rejects.toThrow("there is no column 'kind'")
  await expect(trainTable(rows, { target: 'species', time: -1 })).rejects.toThrow('time wants a number of seconds above 0')
  await expect(prepareTable(rows, { target: 'species', validationFraction: 0 })).rejects.toThrow(
    'prepareTable: validationFraction wants a number above 0',
  )
  for (const [net, message] of [
    [{ hidden: 64 }, 'hidden wants the neurons of each hidden layer, such as [64, 32], got 64'],
    [{ activation: 'softmax' }, "activation wants 'linear', 'relu'"],
    [{ dropout: 1 }, 'dropout wants a number in [0, 1), got 1'],
    [{ learningRate: 0 }, 'learningRate wants a number above 0, got 0'],
    [{ weightDecay: -1 }, 'weightDecay wants a finite number ≥ 0, got -1'],
    [{ batchSize: 1.5 }, 'batchSize wants a whole number ≥ 1, got 1.5'],
    [{ epochs: 0 }, 'epochs wants a whole number ≥ 1, got 0'],
    [{ lr: 1 }, "there is no option 'lr'; did you mean learningRate?"],
  ] as const)
    await expect(trainTable(rows, { target: 'species', ...(net as object) })).rejects.toThrow(`trainTable: ${message}`)
  await expect(trainTable(rows, { target: 'species', test: [] })).rejects.toThrow(/^trainTable: test: there are no rows$/)
  await expect(trainTable(rows, { target: 'species', test: [{ x: 1 }] })).rejects.toThrow(
    /^trainTable: test: there is no column 'species', which is to be predicted, only x$/,
  )
  await expect(trainTable(rows, { target: 'species', testFraction: 1 })).rejects.toThrow('testFraction wants a number above 0 and below 1')
  await expect(trainTable(rows, { target: 'species', seed: 0.5 })).rejects.toThrow('seed wants a whole number')
  await expect(
    trainTable(
      rows.map((row) => ({ ...row, species: 'rose' })),
      { target: 'species' },
    ),
  ).rejects.toThrow("column 'species' is 'rose' in all rows")
  await expect(
    trainTable(
      rows.map((row, i) => ({ ...row, species: `rose ${i}` })),
      { target: 'species' },
    ),
  ).rejects.toThrow("trainTable: column 'species' has 120 different values in 120 rows, as names have")
  await expect(
    trainTable(
      rows.map((row) => ({ ...row, weight: 3 })),
      { target: 'weight' },
    ),
  ).rejects.toThrow("trainTable: column 'weight' is 3 in all rows to learn from: there is nothing to learn")
  await expect(loadTableModel(new Uint8Array(3))).rejects.toThrow()
})

test('metrics have three or four digits, whatever their size', () => {
  const shown = [0, 1e-17, -3e-4, 1e-40 * 1e30, 0.0123, -0.5, 1.5, 12345.6, 3.1549377379735703e37].map(formatMetric)
  expect(shown).toEqual(['0.000', '0.000', '-0.00030', '1.0e-10', '0.012', '-0.500', '1.500', '12,346', '3.155e+37'])
})

test('prepareTable gives what one-call nets see', async () => {
  const { train, held, width, classes } = await prepareTable('docs/guide/penguins.csv', { target: 'species' })
  expect(classes).toBe(3)
  expect(train.inputs.length).toBe(train.count * width)
  expect(held.inputs.length).toBe(held.count * width)
  expect(Math.max(...train.inputs.map(Math.abs))).toBeLessThanOrEqual(3)
})

test('prepareTable sets aside what trainTable tests with, and looks at none of it', async () => {
  const rows = penguins()
  const options = { target: 'body_mass_g', seed: 3 }
  const { report } = await trainTable(rows, { ...options, epochs: 1, hidden: [4] })
  const { train, held, embedded, scale } = await prepareTable(rows, { ...options, columns: { island: 'embedding' } })
  expect(train.count + held.count).toBe(report.rows.train)
  expect(embedded).toEqual([{ feature: 3, count: 4, size: 3 }])
  expect(scale.mean).toBeCloseTo(4200, -3)
  const plan = new ColumnPlan(rows, { target: 'body_mass_g', missing: 'auto' })
  const [, test] = setAside('trainTable', plan, plan.rows, { fraction: 0.2, seed: options.seed })
  expect(test).toHaveLength(report.rows.test)
  const changed = rows.map((row) => (test.includes(row) ? { ...row, bill_length_mm: '1e6', body_mass_g: '9e6' } : row))
  expect((await prepareTable(changed, options)).train).toEqual((await prepareTable(rows, options)).train)
  const all = await prepareTable(rows, { ...options, testFraction: 0 })
  expect(all.train.count + all.held.count).toBe(report.rows.train + report.rows.test)
})

test('a text among numbers is a gap wherever the split puts it', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ x: i === 7 ? 'unclear' : String(i % 9), y: i % 2 ? 'a' : 'b' }))
  const isTested: boolean[] = []
  for (let seed = 0; seed < 8; seed++) {
    const [, test] = setAside('trainTable', new ColumnPlan(rows, { target: 'y', missing: 'auto' }), rows, { fraction: 0.2, seed })
    isTested.push(test.includes(rows[7]))
    const { model, report } = await trainTable(rows, { target: 'y', seed, hidden: [2], epochs: 1 })
    expect(report.columns[0].notes).toEqual(["1 value is no number ('unclear' in row 7) and counts as a gap"])
    expect(model.predict({ x: 'none of it' }).class).toMatch(/a|b/)
  }
  expect(new Set(isTested)).toEqual(new Set([true, false]))
})

test('numbers go in squeezed and by quantiles', () => {
  const encoded = Float32Array.from([0, 1, 2, 3, 4, 5, 6, 1000])
  const state = fitFeatures(encoded, 1, [0], 4)
  expect(state.cuts[0].edges).toEqual([0, 2, 4, 5, 1000])
  expect(widthOf(state)).toBe(5)
  const inputs = inputsOf(state, encoded)
  expect([...inputs.slice(0, 5)]).toEqual([0, 0, 0, 0, 0])
  expect([...inputs.slice(35, 40)].map((x) => Number(x.toFixed(3)))).toEqual([3, 1, 1, 1, 1])
  expect(inputs[3 * 5 + 2]).toBe(0.5)
  // a column of two values is not cut
  expect(fitFeatures(Float32Array.of(0, 1, 0, 1), 1, [0], 4).cuts[0].edges).toEqual([])
})

test('numbers that the target follows for as far as they go are not squeezed', async () => {
  // most of them small, one in twenty large: delays
  const random = new Generator(1)
  const delay = (u: number, v: number) => (u < 0.95 ? 20 * v : 20 + 400 * v)
  const rows = Array.from({ length: 600 }, (_, i) => {
    const [u, v, noise] = random.uniforms(3)
    return { delay: delay(u, v), hour: i % 24, arrival: delay(u, v) - 5 + 10 * noise }
  })
  const { model, report } = await trainTable(rows, { target: 'arrival', seed: 1 })
  expect(model.saved().features.squeezes).toBe(false)
  expect(report.metrics.find(({ name }) => name === 'R²')?.value).toBeGreaterThan(0.98)
  const { predict } = await import(`data:text/javascript,${encodeURIComponent(tableToFunction(model))}`)
  const loaded = await loadTableModel(model.bytes())
  for (const row of rows.slice(0, 40)) {
    const { value } = model.predict(row)
    expect(predict(row).value).toBeCloseTo(value as number, 3)
    expect(loaded.predict(row)).toEqual(model.predict(row))
  }
  // if the target does not grow with the number, its values are squeezed
  const bent = rows.map(({ arrival, ...row }) => ({ ...row, arrival: Math.min(arrival, 30) }))
  expect((await trainTable(bent, { target: 'arrival', seed: 1, epochs: 1 })).model.saved().features.squeezes).toBeUndefined()
})

test('the greedy choice finds the mean that is best, and leaves bad ones out', () => {
  const targets = Float32Array.of(0, 0, 0, 0)
  const voter = (...predictions: number[]) => ({ predictions: Float64Array.from(predictions) })
  const votes = chooseGreedily([voter(1, -1, 1, -1), voter(-1, 1, -1, 1), voter(9, 9, 9, 9)], squaredErrorOf(targets), {
    maxChoices: 20,
    patience: 5,
    leastGain: 1e-6,
  })
  expect(votes).toEqual([1, 1, 0])
})

test('options that do not exist are refused, by the function that was called', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ a: i, y: 2 * i + (i % 3) }))
  const wrong = (options: object) => trainTable(rows, { target: 'y', ...options })
  await expect(wrong({ Time: 2 })).rejects.toThrow("trainTable: there is no option 'Time'; did you mean time?")
  await expect(wrong({ decimal: ',' })).rejects.toThrow("trainTable: there is no option 'decimal'; did you mean read: { decimal }?")
  await expect(wrong({ testFration: 0.3 })).rejects.toThrow('did you mean testFraction?')
  await expect(wrong({ exclude: ['a'], columns: { a: 'hash' } })).rejects.toThrow("'a' is in exclude and in columns")
  const { model } = await trainTable(rows, { target: 'y', seed: 1 })
  expect(() => model.predict([rows[0]], { coverge: 0.8 } as never)).toThrow("predict: there is no option 'coverge'; did you mean coverage?")
  expect(() => model.predict([rows[0]], 0.8 as never)).toThrow(/predict: wants options as an object, \{ coverage: … \}, got 0\.8/)
})
