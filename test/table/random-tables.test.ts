/**
 * Fault 47: random tables under random options. What the report says is what the model answers to the test rows, and a saved model, `evaluateTable`
 * and the model as JavaScript answer the same.
 *
 *   TABLES=1,2000 node node_modules/vitest/vitest.mjs run test/table/random-tables.test.ts      # seed, number
 */
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import {
  type ClassPrediction,
  evaluateTable,
  loadTableModel,
  type NumberPrediction,
  reportHtml,
  reportText,
  type TableModelReport,
  type TrainTableOptions,
  tableToFunction,
  trainTable,
} from '../../ts/table/index.js'
import { cases } from '../tools/nightly.js'

const [SEED, RUNS] = (process.env.TABLES ?? `1,${cases(250)}`).split(',').map(Number)

type Cell = string | number | boolean | null
type Row = Record<string, Cell>

/** Uniform numbers in [0, 1), from a seed. */
function uniforms(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const GAPS: readonly Cell[] = ['', 'NA', null, '?']
const WORDS = ['a', 'b b', 'none', "o'clock", '<i>', '__proto__', 'constructor', '1e3', 'Ä', '-']

/** Columns to learn from: the cell for a signal from 0 to 1. */
const KINDS: Record<string, (signal: number, row: number) => Cell> = {
  number: (signal) => Math.round(1000 * signal) / 10,
  text: (signal) => String(Math.round(100 * signal) / 10),
  huge: (signal) => 1e12 * signal,
  tiny: (signal) => 1e-9 * signal,
  word: (signal) => WORDS[Math.floor(signal * 6)],
  bit: (signal) => signal > 0.5,
  day: (signal) => `2024-${String(1 + Math.floor(12 * signal)).padStart(2, '0')}-11`,
  money: (signal) => `$${(Math.round(100_000 * signal) / 10).toLocaleString('en-US')}`,
  constant: () => 7,
  name: (_, row) => `row ${row}`,
  order: (_, row) => row,
}

const classNames = fc.uniqueArray(fc.constantFrom(...WORDS, '0', '1', 'true', '2.50', 'no', 'yes'), { minLength: 2, maxLength: 4 })
const target = fc.oneof(
  fc.record({ classes: classNames, rare: fc.constantFrom(0.03, 0.1, 0.3, 0.5) }),
  // seconds since 1970: 32 bits know a minute or two
  fc.record({ offset: fc.constant(1.6e9), scale: fc.constantFrom(1, 300), heavy: fc.boolean(), trend: fc.boolean() }),
  fc.record({ offset: fc.constantFrom(0, 1e4, -3), scale: fc.constantFrom(1e-4, 1, 1e5), heavy: fc.boolean(), trend: fc.boolean() }),
)
const table = fc.record({
  seed: fc.nat(),
  count: fc.integer({ min: 12, max: 90 }),
  columns: fc.uniqueArray(fc.constantFrom(...Object.keys(KINDS)), { minLength: 1, maxLength: 4 }),
  gaps: fc.constantFrom(0, 0, 0.1, 0.4),
  targetGaps: fc.constantFrom(0, 0, 0.05, 0.3),
  noise: fc.constantFrom(0, 0.3, 1),
  target,
})
const options = fc.record(
  {
    hidden: fc.constantFrom([], [4]),
    metric: fc.record({
      classes: fc.constantFrom('logLoss', 'accuracy', 'balancedAccuracy', 'f1', 'rocAuc', 'averagePrecision'),
      numbers: fc.constantFrom('rmse', 'mae', 'r2'),
    }),
    threshold: fc.constantFrom<'f1' | 'balanced' | 0.1 | 0.5 | 0.999>('f1', 'balanced', 0.1, 0.5, 0.999),
    classWeights: fc.constant('balanced' as const),
    formatted: fc.boolean(),
    missingValues: fc.constantFrom([], ['none'], ['?', 'NA']),
    splitBy: fc.constantFrom('order', 'number', 'day'),
    seed: fc.nat({ max: 99 }),
    testFraction: fc.constantFrom(0.1, 0.5),
  },
  { requiredKeys: [] },
)

type Shape = typeof table extends fc.Arbitrary<infer T> ? T : never
type Given = typeof options extends fc.Arbitrary<infer T> ? T : never

/** The options that fit a table, with a test set of its own or without. */
function fitting({ metric, threshold, classWeights, splitBy, testFraction, ...rest }: Given, { target, columns }: Shape, test?: Row[]) {
  const classes = 'classes' in target ? target.classes.length : 0
  return {
    ...rest,
    ...(metric && { metric: classes > 0 ? metric.classes : metric.numbers }),
    ...(threshold && classes === 2 && { threshold }),
    ...(classWeights && classes > 0 && { classWeights }),
    ...(test ? { test } : { ...(splitBy && columns.includes(splitBy) && { splitBy }), ...(testFraction && { testFraction }) }),
  } as Partial<TrainTableOptions>
}

/** Rows of a table. */
function draw({ seed, count, columns, gaps, targetGaps, noise, target }: Shape, from = 0) {
  const next = uniforms(seed + 7919 * from)
  return Array.from({ length: count }, (_, i): Row => {
    const signal = next()
    const cells = columns.map((kind): [string, Cell] => {
      const own = Math.min(0.999, Math.max(0, signal + noise * (next() - 0.5)))
      return [kind, next() < gaps ? GAPS[Math.floor(4 * next())] : KINDS[kind](own, from + i)]
    })
    const noisy = Math.min(0.999, Math.max(0, signal + (noise * (next() - 0.5)) / 2))
    const y =
      'classes' in target
        ? noisy < target.rare
          ? target.classes[0]
          : target.classes[1 + Math.floor(((noisy - target.rare) / (1 - target.rare)) * (target.classes.length - 1))]
        : target.offset + target.scale * (target.heavy ? Math.exp(6 * noisy) : noisy + (target.trend ? i / 10 : 0))
    return { ...Object.fromEntries(cells), y: next() < targetGaps ? GAPS[Math.floor(4 * next())] : y }
  })
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length

/** Metrics of classes by hand, by the names in reports. */
function classMetrics(truth: readonly string[], said: readonly ClassPrediction[], names: readonly string[], positive?: string) {
  const counts = (name: string) => {
    const [tp, fp, fn] = [
      truth.filter((t, i) => t === name && said[i].class === name).length,
      truth.filter((t, i) => t !== name && said[i].class === name).length,
      truth.filter((t, i) => t === name && said[i].class !== name).length,
    ]
    return { tp, fp, fn }
  }
  const { tp, fp, fn } = counts(positive ?? names[0])
  const present = names.filter((name) => truth.includes(name))
  return {
    accuracy: mean(truth.map((t, i) => Number(t === said[i].class))),
    'balanced accuracy': mean(present.map((name) => counts(name).tp / (counts(name).tp + counts(name).fn))),
    'log loss': mean(truth.map((t, i) => -Math.log(Math.max(said[i].probabilities[t], 1e-9)))),
    ...(positive !== undefined && {
      [`F1 of '${positive}'`]: tp === 0 ? 0 : (2 * tp) / (2 * tp + fp + fn),
      [`precision of '${positive}'`]: tp === 0 ? 0 : tp / (tp + fp),
      [`recall of '${positive}'`]: tp === 0 ? 0 : tp / (tp + fn),
    }),
  } as Record<string, number>
}

function numberMetrics(truth: readonly number[], said: readonly NumberPrediction[]): Record<string, number> {
  const squared = mean(truth.map((t, i) => (t - said[i].value) ** 2))
  const middle = mean(truth)
  return {
    RMSE: Math.sqrt(squared),
    'mean absolute error': mean(truth.map((t, i) => Math.abs(t - said[i].value))),
    'R²': 1 - squared / mean(truth.map((t) => (t - middle) ** 2)),
  }
}

const OURS = /^(trainTable|fromTable|dataset|encode|inspectTable|classWeights): /
const near = (a: number, b: number, scale = 1) => Math.abs(a - b) <= 1e-4 * Math.max(scale, Math.abs(b))

async function functionOf(model: Parameters<typeof tableToFunction>[0]): Promise<(rows: unknown) => never> {
  return (await import(`data:text/javascript,${encodeURIComponent(tableToFunction(model))}`)).predict
}

/** Checks a report against the answers of its model to rows that it was tested with. */
function checkReport(report: TableModelReport, rows: readonly Row[], answers: readonly (ClassPrediction & NumberPrediction)[]): void {
  const isGap = (y: Cell) => report.leftOut.some(({ column, value }) => column === 'y' && value === String(y ?? '').trim())
  const used = rows.flatMap((row, i) => (isGap(row.y) ? [] : [i]))
  expect(used.length).toBe(report.rows.test)
  const said = used.map((i) => answers[i])
  const byHand =
    report.task === 'classification'
      ? classMetrics(
          used.map((i) => String(rows[i].y)),
          said,
          report.classNames,
          report.positive,
        )
      : numberMetrics(
          used.map((i) => Number(rows[i].y)),
          said,
        )
  for (const { name, value, low, high } of report.metrics) {
    expect(low).toBeLessThanOrEqual(high)
    if (!(name in byHand) || !Number.isFinite(byHand[name])) continue
    expect([
      name,
      near(value, byHand[name], report.task === 'regression' && name !== 'R²' ? byHand[name] + 1e-30 : 1),
      value,
      byHand[name],
    ]).toEqual([name, true, value, byHand[name]])
  }
  const confusion = report.confusion?.map((row) => row.reduce((sum, n) => sum + n, 0))
  if (confusion) expect(confusion).toEqual(report.classNames.map((name) => used.filter((i) => String(rows[i].y) === name).length))
  for (const { class: named, probability, probabilities } of report.task === 'classification' ? said : []) {
    expect(Math.abs(1 - Object.values(probabilities).reduce((sum, p) => sum + p, 0))).toBeLessThan(1e-5)
    expect(probability).toBe(probabilities[named])
    if (report.threshold && report.positive)
      expect(named === report.positive).toBe(probabilities[report.positive] >= report.threshold.value)
    else expect(probability).toBe(Math.max(...Object.values(probabilities)))
  }
  for (const { value, low, high } of report.task === 'regression' ? said : []) expect(low <= value && value <= high).toBe(true)
}

const seen: Record<string, number> = {}

test(`fault 47: ${RUNS} random tables under random options: report, model, file and JavaScript say the same`, {
  timeout: 3_600_000,
}, async () => {
  // about categories that were not in the table
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  await fc.assert(
    fc.asyncProperty(table, options, fc.boolean(), async (shape, given, hasTest) => {
      const rows = draw(shape)
      const test = hasTest ? draw({ ...shape, count: 30 }, 1000) : undefined
      const more = fitting(given, shape, test)
      const result = await trainTable(rows, { target: 'y', ...(given.hidden?.length !== 0 && { epochs: 3 }), ...more }).catch(
        (error: Error) => error,
      )
      if (result instanceof Error) {
        expect(`${result.name}: ${result.message}`).toMatch(/^(RangeError|TypeError|Error|NonFiniteError): /)
        expect(result.message).toMatch(OURS)
        if (process.env.SHOW && result.message.startsWith('dataset')) console.log(result.message, JSON.stringify([shape, given, hasTest]))
        const reason = process.env.TABLES
          ? result.message
              .replace(/'[^']*'/g, "'…'")
              .replace(/\d+/g, 'n')
              .slice(0, 100)
          : 'refused'
        seen[reason] = (seen[reason] ?? 0) + 1
        return
      }
      const { model, report } = result
      seen[report.task] = (seen[report.task] ?? 0) + 1
      const left = report.leftOut.reduce((sum, { rows }) => sum + rows, 0)
      expect(report.rows.train + report.rows.test + left).toBe(rows.length + (test?.length ?? 0))
      // no NaN and no infinity anywhere
      expect(JSON.parse(JSON.stringify(report))).toEqual(report)
      for (const text of [reportText(report, { width: 90 }), reportHtml(report)])
        expect(/undefined|NaN|\[object|Infinity/.exec(text)?.[0]).toBeUndefined()
      const answers = model.predict(test ?? rows) as (ClassPrediction & NumberPrediction)[]
      if (test) {
        checkReport(report, test, answers)
        const evaluated = evaluateTable(model, test)
        expect(evaluated.rows).toBe(report.rows.test)
        for (const { name, value } of evaluated.metrics) {
          const own = report.metrics.find((metric) => metric.name === name)
          if (own) expect([name, value]).toEqual([name, own.value])
        }
      }
      const loaded = await loadTableModel(model.bytes())
      expect(loaded.predict(test ?? rows)).toEqual(answers)
      const inJavaScript = (await functionOf(model))(test ?? rows) as (ClassPrediction & NumberPrediction)[]
      const spread = report.task === 'regression' ? model.saved().scale.deviation : 1
      for (const [i, answer] of answers.entries()) {
        if (report.task === 'regression') expect(Math.abs(inJavaScript[i].value - answer.value)).toBeLessThanOrEqual(1e-3 * spread)
        else
          for (const name of report.classNames)
            expect(Math.abs(inJavaScript[i].probabilities[name] - answer.probabilities[name])).toBeLessThan(1e-4)
      }
    }),
    { numRuns: RUNS, seed: SEED },
  )
  warn.mockRestore()
  if (process.env.TABLES) process.stdout.write(`${JSON.stringify(seen)}\n`)
})
