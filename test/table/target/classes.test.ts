import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { inFlags } from '../../../ts/cli/table/files.js'
import { Generator } from '../../../ts/index.js'
import { f1Score, recall } from '../../../ts/metrics/index.js'
import {
  type ClassPrediction,
  evaluateTable,
  loadTableModel,
  reportHtml,
  type TableMetric,
  type TrainedTable,
  type TrainTableOptions,
  tableToFunction,
  trainTable,
} from '../../../ts/table/index.js'
import { bestThreshold } from '../../../ts/table/target/decision.js'

/** One of two columns determines the probability of `yes`; 2 % of the rows are `yes`, which is hardly ever likelier than `no`. */
function rare(count: number, seed: number, share = 0.02) {
  const random = new Generator(seed)
  return Array.from({ length: count }, () => {
    const [a, b, u] = random.uniforms(3)
    return { a, b, ill: u < 7 * share * a ** 6 ? 'yes' : 'no' }
  })
}
const rows = rare(1500, 1)
const small = { target: 'ill', hidden: [8], epochs: 8, learningRate: 0.02 } as const
const metricOf = ({ report }: TrainedTable, name: string) => report.metrics.find((metric) => metric.name === name)?.value ?? Number.NaN

let usual: TrainedTable
let byF1: TrainedTable
beforeAll(async () => {
  usual = await trainTable(rows, small)
  byF1 = await trainTable(rows, { ...small, threshold: 'f1' })
})

test('a class of 2 % that is never predicted is found with a threshold, and the advice says so', async () => {
  expect(metricOf(usual, "recall of 'yes'")).toBe(0)
  expect(metricOf(usual, "F1 of 'yes'")).toBe(0)
  const [advice] = usual.report.advice
  expect(advice).toMatch(/^The model never predicts 'yes' \(\d %/)
  expect(advice).toContain(
    "`threshold: 'f1'` names it from a lower probability on, or `classWeights: 'balanced'` lets its rows count more, or rank rows by the probability of 'yes'.",
  )
  expect(inFlags(advice)).toContain('--threshold f1 names it from a lower probability on, or --class-weights balanced lets')
  expect(metricOf(byF1, "recall of 'yes'")).toBeGreaterThan(0.2)
  expect(metricOf(byF1, "F1 of 'yes'")).toBeGreaterThan(0.1)
  expect(byF1.report.threshold).toMatchObject({ chosenBy: 'f1' })
  expect(byF1.report.threshold?.value).toBeLessThan(0.5)
  // the nets are the same
  for (const name of ['ROC AUC', 'log loss', "average precision of 'yes'"]) expect(metricOf(byF1, name)).toBe(metricOf(usual, name))
  expect(byF1.report.advice.join()).not.toContain('never predicts')
})

test('predict, evaluateTable, a file and JavaScript name the same classes', async () => {
  const { model, report } = byF1
  const { value: threshold } = report.threshold as { value: number }
  const answers = model.predict(rows) as ClassPrediction[]
  for (const { class: named, probability, probabilities } of answers) {
    expect(named).toBe(probabilities.yes >= threshold ? 'yes' : 'no')
    expect(probability).toBe(probabilities[named])
  }
  expect(answers.some(({ class: named, probability }) => named === 'yes' && probability < 0.5)).toBe(true)
  const again = await loadTableModel(model.bytes())
  expect(again.predict(rows)).toEqual(answers)
  const evaluation = evaluateTable(again, rows)
  expect(evaluation.positive).toBe('yes')
  expect(evaluation.threshold).toEqual({ value: threshold })
  const hits = rows.filter(({ ill }, i) => ill === 'yes' && answers[i].class === 'yes').length
  expect(evaluation.confusion?.[1][1]).toBe(hits)
  const found = evaluation.metrics.find(({ name }) => name === "F1 of 'yes'")?.value
  const labels = (names: string[]) => Int32Array.from(names, (name) => Number(name === 'yes'))
  expect(found).toBe(f1Score(labels(answers.map((answer) => answer.class)), labels(rows.map(({ ill }) => ill))))
  const source = tableToFunction(model)
  const { predict } = await import(`data:text/javascript,${encodeURIComponent(source)}`)
  expect(predict(rows).map((answer: ClassPrediction) => answer.class)).toEqual(answers.map((answer) => answer.class))
})

test('the report says it as JSON, and as a page', () => {
  const { report } = byF1
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
  expect(report.positive).toBe('yes')
  expect(reportHtml(report)).toMatch(
    /yes(&#39;|')? is named from a probability of 0\.\d+ on, which gave the best F1 on rows that nets did not learn from/,
  )
  expect(reportHtml(report)).toMatch(/F1 of/)
})

test('rows to test with change nothing of threshold, weights, positive class and nets; the same seed gives the same model', async () => {
  const options: TrainTableOptions = { ...small, threshold: 'f1', classWeights: 'balanced', metric: 'averagePrecision' }
  const test = rare(200, 2)
  const absurd = test.map((row, i) => ({ a: 1e6 * i, b: -5, ill: row.ill === 'yes' || i % 3 > 0 ? 'yes' : 'no' }))
  const [one, same, other] = [
    await trainTable(rows, { ...options, test }),
    await trainTable(rows, { ...options, test }),
    await trainTable(rows, { ...options, test: absurd }),
  ]
  expect(same.model.bytes()).toEqual(one.model.bytes())
  for (const name of ['threshold', 'classWeights', 'positive', 'metric', 'candidates'] as const)
    expect(other.report[name]).toEqual(one.report[name])
  expect(other.model.predict(rows)).toEqual(one.model.predict(rows))
})

test('weights: balanced for nets and the line, and factors by name', async () => {
  const balanced = await trainTable(rows, { ...small, classWeights: 'balanced' })
  const { classWeights = {} } = balanced.report
  const count = (name: string) => rows.filter(({ ill }) => ill === name).length
  expect((classWeights.yes * count('yes')) / (classWeights.no * count('no'))).toBeGreaterThan(0.9)
  expect((classWeights.yes * count('yes')) / (classWeights.no * count('no'))).toBeLessThan(1.1)
  expect(metricOf(balanced, "recall of 'yes'")).toBeGreaterThan(0.4)
  expect(metricOf(balanced, 'balanced accuracy')).toBeGreaterThan(metricOf(usual, 'balanced accuracy'))
  // probabilities fit the weighted table, and the advice uses its loss
  expect(metricOf(balanced, 'log loss')).toBeGreaterThan(metricOf(usual, 'log loss'))
  expect(metricOf(balanced, 'weighted log loss')).toBeLessThan(Math.log(2))
  expect(balanced.report.advice.join()).not.toMatch(/worse than a guess|never predicts/)
  const none = await trainTable(rows, { target: 'ill', hidden: [], classWeights: { yes: 1 } })
  expect((await trainTable(rows, { target: 'ill', hidden: [] })).model.predict(rows)).toEqual(none.model.predict(rows))
  const line = await trainTable(rows, { target: 'ill', hidden: [], classWeights: { yes: 40 } })
  expect(metricOf(line, "recall of 'yes'")).toBeGreaterThan(metricOf(none, "recall of 'yes'"))
})

test('of three classes weights count, too', async () => {
  const three = rows.map((row, i) => ({ ...row, ill: i % 9 === 0 ? 'perhaps' : row.ill }))
  const { report } = await trainTable(three, { ...small, epochs: 3, classWeights: { yes: 20 }, metric: 'f1' })
  expect(Object.keys(report.classWeights ?? {})).toEqual(report.classNames)
  expect(report.positive).toBeUndefined()
  expect(report.metrics[0].name).toBe('F1')
})

test('the positive class is the rarer one, or the one that is named', async () => {
  const { report, model } = await trainTable(rows, { ...small, epochs: 2, positive: 'no', threshold: 0.9 })
  expect(report.positive).toBe('no')
  expect(report.metrics[0].name).toBe('accuracy')
  expect(report.metrics.map(({ name }) => name)).toContain("F1 of 'no'")
  for (const { class: named, probabilities } of model.predict(rows)) expect(named).toBe(probabilities.no >= 0.9 ? 'no' : 'yes')
  const swapped = rows.map((row) => ({ ...row, ill: row.ill === 'yes' ? 'a' : 'b' }))
  const first = await trainTable(swapped, { ...small, epochs: 2 })
  expect(first.report.positive).toBe('a')
  expect(first.report.metrics.find(({ name }) => name === "F1 of 'a'")?.baseline).toBe(0)
})

test('a metric chooses kinds of nets, and stands first in the report', async () => {
  const of = async (metric: TableMetric, target: 'ill' | 'a') =>
    (await trainTable(rows.slice(0, 400), { ...small, target, epochs: 2, metric })).report
  const names: [TableMetric, 'ill' | 'a', string][] = [
    ['rocAuc', 'ill', 'ROC AUC'],
    ['balancedAccuracy', 'ill', 'balanced accuracy'],
    ['averagePrecision', 'ill', "average precision of 'yes'"],
    ['logLoss', 'ill', 'log loss'],
    ['mae', 'a', 'mean absolute error'],
    ['rmse', 'a', 'RMSE'],
  ]
  for (const [metric, target, name] of names) {
    const report = await of(metric, target)
    expect(report.metric).toBe(metric)
    expect(report.metrics[0].name).toBe(name)
    expect(report.candidates[0].loss).toBeGreaterThanOrEqual(0)
  }
  const { candidates } = (await trainTable(rows, { ...small, metric: 'rocAuc' })).report
  expect(candidates[0].loss).toBeLessThan(0.5)
})

test('a metric chooses the best epoch of each net', async () => {
  const random = new Generator(6)
  // a few numbers are far off, which squared errors follow
  const heavy = Array.from({ length: 300 }, () => {
    const [a, u, v] = random.uniforms(3)
    return { a, y: 3 * a + (u < 0.1 ? 40 * v : v / 5) }
  })
  const of = async (options: Partial<TrainTableOptions>) =>
    (await trainTable(heavy, { target: 'y', hidden: [8], epochs: 40, learningRate: 0.05, ...options })).report.curve.validation
  const byLoss = await of({ metric: 'rmse' })
  expect(await of({})).toEqual(byLoss)
  expect((await of({ metric: 'mae' })).length).not.toBe(byLoss.length)
})

test('what does not fit is refused by name', async () => {
  const wrong = (options: object, message: string | RegExp) =>
    expect(trainTable(rows.slice(0, 200), { ...small, ...options } as TrainTableOptions)).rejects.toThrow(message)
  await wrong({ threshold: 1 }, "trainTable: threshold wants a number above 0 and below 1, 'f1' or 'balanced', got 1")
  await wrong({ metric: 'auc' }, "trainTable: metric wants 'logLoss'")
  await wrong({ metric: 'rmse' }, "since column 'ill' has 2 classes, got 'rmse'")
  await wrong({ positive: 'maybe' }, "trainTable: positive wants classes of 'ill', no, yes, got 'maybe'")
  await wrong({ classWeights: { maybe: 1 } }, "trainTable: classWeights wants classes of 'ill', no, yes, got 'maybe'")
  await wrong(
    { classWeights: { yes: 0 } },
    "trainTable: classWeights wants 'balanced', or finite factors above 0 by class such as { yes: 5 }, got an object with yes; the factor of 'yes' is 0",
  )
  await wrong(
    { classWeights: [1, 2] },
    "trainTable: classWeights wants 'balanced', or finite factors above 0 by class such as { yes: 5 }, got an array of 2",
  )
  await wrong({ target: 'a', threshold: 0.2 }, "trainTable: threshold is for two classes, and column 'a' has numbers; leave it out")
  await wrong({ target: 'a', classWeights: 'balanced' }, 'classWeights is for classes')
})

test('the best threshold is the best of all', () => {
  const given = fc.array(fc.tuple(fc.integer({ min: 0, max: 19 }), fc.boolean()), { minLength: 2, maxLength: 40 })
  fc.assert(
    fc.property(given, fc.constantFrom('f1', 'balanced'), fc.constantFrom(0, 1), (pairs, by, positive) => {
      const targets = Int32Array.from(pairs, ([, isOne]) => Number(isOne))
      fc.pre(targets.includes(0) && targets.includes(1) && pairs.some(([k]) => k > 0))
      const scores = pairs.map(([k]) => k / 20)
      const predictions = Float64Array.from(scores.flatMap((p) => (positive === 1 ? [1 - p, p] : [p, 1 - p])))
      const isPositive = Int32Array.from(targets, (c) => Number(c === positive))
      const scoreAt = (threshold: number) => {
        const named = Int32Array.from(scores, (p) => Number(p >= threshold))
        return by === 'f1' ? f1Score(named, isPositive) : recall(named, isPositive, { average: 'macro' })
      }
      const found = bestThreshold(predictions, targets, positive, by)
      expect(found).toBeGreaterThan(0)
      expect(found).toBeLessThan(1)
      for (let k = 1; k <= 20; k++) expect(scoreAt(found)).toBeGreaterThanOrEqual(scoreAt(k / 20 - 0.025) - 1e-12)
    }),
    { numRuns: Number(process.env.THRESHOLD_RUNS ?? 200), seed: Number(process.env.SEED ?? 1) },
  )
})
