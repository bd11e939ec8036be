/** Classes with an order: the median of the distribution is named, and errors are counted in ranks. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { Generator, tensor } from '../../../ts/index.js'
import {
  type ClassPrediction,
  evaluateTable,
  loadTableModel,
  reportHtml,
  reportText,
  type TrainedTable,
  tableToFunction,
  trainTable,
} from '../../../ts/table/index.js'
import { metricsOf, namedClass } from '../../../ts/table/measure/metrics.js'

const order = ['poor', 'fair', 'good', 'great']
/** A grade that grows with two columns, with so much noise that the likeliest grade is often the least or the greatest. */
function grades(count: number, seed: number) {
  const random = new Generator(seed)
  return Array.from({ length: count }, () => {
    const [a, b, u, v] = random.uniforms(4)
    const noise = u < 0.5 ? 0 : 6 * (v - 0.5)
    return { a, b, grade: order[Math.max(0, Math.min(3, Math.floor(4 * (0.7 * a + 0.3 * b) + noise)))] }
  })
}
const rows = grades(900, 3)
const small = { target: 'grade', hidden: [8], epochs: 10, learningRate: 0.02 } as const
const rank = (name: string) => order.indexOf(name)

let trained: TrainedTable
beforeAll(async () => {
  trained = await trainTable(rows, { ...small, order })
})

const isOrdered = true as const
test('the class is the first at which the probabilities so far reach a half', () => {
  const named = (...p: number[]) => namedClass(p, 0, p.length, { isOrdered })
  expect(named(0.4, 0.25, 0.35)).toBe(1)
  expect(named(0.5, 0, 0.5)).toBe(0)
  expect(named(0.1, 0.1, 0.2, 0.6)).toBe(3)
  expect(named(0, 0, 1)).toBe(2)
  // after rounding the sum may stay below a half
  expect(named(0, 0, 0.49)).toBe(2)
})

test('no class is nearer on average', () => {
  const weights = fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 9 })
    .filter((list) => list.some((w) => w > 0.01))
  fc.assert(
    fc.property(weights, (list) => {
      const total = list.reduce((sum, w) => sum + w)
      const p = list.map((w) => w / total)
      const distance = (named: number) => p.reduce((sum, share, c) => sum + share * Math.abs(c - named), 0)
      expect(distance(namedClass(p, 0, p.length, { isOrdered }))).toBeLessThanOrEqual(Math.min(...p.map((_, c) => distance(c))) + 1e-12)
    }),
  )
})

test('the first metric is the mean distance in ranks, by hand', () => {
  const [metric] = metricsOf(3, { decision: { isOrdered } })
  expect(metric.name).toBe('mean absolute error of ranks')
  // medians 1, 0, 2 beside 2, 2, 2
  const p = tensor(Float32Array.of(0.4, 0.25, 0.35, 0.6, 0.2, 0.2, 0.1, 0.1, 0.8), [3, 3])
  expect(metric.of(p, Int32Array.of(2, 2, 2))).toBeCloseTo((1 + 2 + 0) / 3, 6)
  expect(metricsOf(3)[0].name).toBe('accuracy')
})

test('predict, evaluateTable, a file and JavaScript name the median', async () => {
  const { model, report } = trained
  expect(model.classNames).toEqual(order)
  expect(report.classNames).toEqual(order)
  expect(report.isOrdered).toBe(true)
  const answers = model.predict(rows) as ClassPrediction[]
  for (const { class: named, probability, probabilities } of answers) {
    const [before, upTo] = [rank(named), rank(named) + 1].map((n) => order.slice(0, n).reduce((sum, name) => sum + probabilities[name], 0))
    expect(before).toBeLessThan(0.5 + 1e-9)
    expect(upTo).toBeGreaterThan(0.5 - 1e-9)
    expect(probability).toBe(probabilities[named])
  }
  const likeliest = answers.map(({ probabilities: p }) => order.reduce((best, name) => (p[name] > p[best] ? name : best)))
  expect(answers.some((answer, i) => answer.class !== likeliest[i])).toBe(true)
  const error = (names: string[]) => names.reduce((sum, name, i) => sum + Math.abs(rank(name) - rank(rows[i].grade)), 0) / rows.length
  expect(error(answers.map((answer) => answer.class))).toBeLessThan(error(likeliest))

  const again = await loadTableModel(model.bytes())
  expect(again.predict(rows)).toEqual(answers)
  const { metrics, confusion = [], isOrdered } = evaluateTable(again, rows)
  expect(isOrdered).toBe(true)
  expect(metrics[0].name).toBe('mean absolute error of ranks')
  expect(metrics[0].value).toBeCloseTo(error(answers.map((answer) => answer.class)), 6)
  const right = answers.filter((answer, i) => answer.class === rows[i].grade).length
  expect(metrics.find(({ name }) => name === 'accuracy')?.value).toBeCloseTo(right / rows.length, 6)
  expect(order.reduce((sum, _, c) => sum + confusion[c][c], 0)).toBe(right)

  const { predict } = await import(`data:text/javascript,${encodeURIComponent(tableToFunction(model))}`)
  expect(predict(rows).map((answer: ClassPrediction) => answer.class)).toEqual(answers.map((answer) => answer.class))
})

test('the report says so, and compares with a guess and a straight line', () => {
  const { report } = trained
  const [error] = report.metrics
  expect(error).toMatchObject({ name: 'mean absolute error of ranks', better: 'less' })
  expect(error.value).toBeLessThan(error.baseline)
  expect(error.line).toBeGreaterThan(0)
  expect(error.low).toBeLessThan(error.high)
  for (const text of [reportText(report, { width: 200 }), reportHtml(report)]) expect(text).toContain('classes have an order: the median')
})

test('nets are the same with and without an order, and may be chosen by the error of ranks', async () => {
  const { report } = await trainTable(rows, small)
  const logLoss = (metrics: typeof report.metrics) => metrics.find(({ name }) => name === 'log loss')?.value
  expect(report.isOrdered).toBeUndefined()
  expect(report.metrics[0].name).toBe('accuracy')
  // the classes stand in another order, so the first weights differ
  expect(logLoss(trained.report.metrics)).toBeCloseTo(logLoss(report.metrics) as number, 1)
  const byRank = await trainTable(rows, { ...small, order, metric: 'mae' })
  expect(byRank.report.metric).toBe('mae')
  expect(byRank.report.candidates[0].loss).toBeLessThan(2)
})

test('numbers may be classes with an order, and an order may have classes without rows', async () => {
  const stars = rows.map(({ a, b, grade }) => ({ a, b, stars: rank(grade) + 1 }))
  const { model, report } = await trainTable(stars, { ...small, target: 'stars', order: ['1', '2', '3', '4', '5'] })
  expect(report.confusion).toHaveLength(5)
  expect(order.map((_, i) => String(i + 1))).toContain((model.predict(stars[0]) as ClassPrediction).class)
})

test('an order that does not fit is refused', async () => {
  const two = rows.map(({ a, b, grade }) => ({ a, b, grade: rank(grade) > 1 ? 'good' : 'poor' }))
  await expect(trainTable(two, { ...small, order: ['poor', 'good'] })).rejects.toThrow(
    "trainTable: order is for three classes or more, and column 'grade' has 2 classes; leave it out",
  )
  await expect(trainTable(rows, { ...small, order: ['poor', 'fair', 'good'] })).rejects.toThrow(
    "order of column 'grade' does not have 'great', which is in the table",
  )
  await expect(trainTable(rows, { ...small, order: ['poor', 'poor'] })).rejects.toThrow('order wants different texts in an array')
  await expect(trainTable(rows, { ...small, metric: 'mae' })).rejects.toThrow("trainTable: metric wants one of 'logLoss'")
  await expect(trainTable(rows, { ...small, order, threshold: 'f1' })).rejects.toThrow('threshold is for two classes')
})

test.each([
  ['none', 4],
  ['none', 40],
  ['NA', 40],
  ['?', 4],
])('%s in %d rows is a class if the order names it', async (word, count) => {
  const named = [word, 'mild', 'severe', 'worst']
  const some = rows.slice(0, 200).map(({ a, b }, i) => ({ a, b, pain: i < count ? word : named[1 + (i % 3)] }))
  const { report, model } = await trainTable(some, { target: 'pain', hidden: [4], epochs: 2, order: named })
  expect(report.classNames).toEqual(named)
  expect(report.leftOut).toEqual([])
  expect(report.rows.train + report.rows.test).toBe(200)
  expect(report.advice.join()).not.toContain('gap')
  expect(evaluateTable(model, some).confusion?.[0].reduce((sum, n) => sum + n, 0)).toBe(count)
  expect((await loadTableModel(await model.bytes())).encoder.dataset(some).count).toBe(200)
})

test('a word that the order of an input names is a value, also in the saved model and the function', async () => {
  const some = rows
    .slice(0, 120)
    .map(({ a }, i) => ({ a, dose: ['none', 'low', 'high'][i % 3], other: ['none', 'x', 'y'][i % 3], y: (i % 3) + a }))
  const { model, report } = await trainTable(some, {
    target: 'y',
    hidden: [4],
    epochs: 5,
    columns: { dose: { as: 'ordinal', order: ['none', 'low', 'high'] } },
  })
  expect(report.columns.find(({ name }) => name === 'dose')?.gaps).toBe(0)
  expect(report.columns.find(({ name }) => name === 'other')?.gaps).toBeGreaterThan(20)
  const { predict } = await import(`data:text/javascript,${encodeURIComponent(tableToFunction(model))}`)
  const again = await loadTableModel(await model.bytes())
  for (const [i, { value }] of (model.predict(some) as unknown as { value: number }[]).entries()) {
    expect(predict(some)[i].value).toBeCloseTo(value, 4)
    expect(again.predict([some[i]])[0]).toMatchObject({ value })
  }
})

test.each([
  [[1, 2, 3], "order wants different texts in an array, got an array of 3; 1 in it is no text, '1' is"],
  [['a', 'b', 'a'], "got an array of 3; 'a' is in it twice"],
  ['a,b', "got 'a,b'"],
])('an order of %j is refused', async (given, message) => {
  await expect(trainTable(rows, { target: 'grade', order: given as never })).rejects.toThrow(message)
})

test('an order that contradicts other options is refused', async () => {
  const given = { target: 'grade', order }
  await expect(trainTable(rows, { ...given, columns: { grade: 'number' } })).rejects.toThrow(
    "trainTable: order makes 'grade' classes in an order, and columns has 'number' for it; give one of the two",
  )
  await expect(trainTable(rows, { ...given, columns: { grade: { order: ['great', ...order.slice(0, 3)] } } })).rejects.toThrow(
    'give one of the two',
  )
  await expect(trainTable(rows, { ...given, missingValues: ['poor'] })).rejects.toThrow(
    "trainTable: columns of 'grade': 'poor' is in order and in missingValues; take it out of one of them",
  )
})
