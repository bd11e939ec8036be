/** No sentence of the advice contradicts the figures of its report. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inFlags } from '../../../ts/cli/table/files.js'
import { Generator } from '../../../ts/index.js'
import { formatMetric, type TableModelReport, trainTable } from '../../../ts/table/index.js'
import { compareLosses } from '../../../ts/table/measure/compare.js'
import { baselineOf, calibrationOf, confusionOf, coverageOf, measureMetrics } from '../../../ts/table/measure/measure.js'
import { adviceOn } from '../../../ts/table/report/advice.js'

/** The quality of the nets and the line: weights of the truth and of noise in their predictions. */
interface Skill {
  truth: number
  noise: number
}

const skill = fc.record({ truth: fc.constantFrom(0, 0.05, 0.3, 0.6, 0.95), noise: fc.constantFrom(0, 0.01, 0.3, 1, 3) })
const situation = fc.record({
  ...{
    rows: fc.integer({ min: 1, max: 400 }),
    classes: fc.constantFrom(0, 2, 2, 3, 30),
    seed: fc.nat(1e6),
    share: fc.constantFrom(0.01, 0.1, 0.5),
  },
  ...{
    before: fc.option(skill),
    nets: skill,
    line: fc.option(skill),
    same: fc.constantFrom(0, 0, 0.9, 1),
    splitBy: fc.boolean(),
    wide: fc.constantFrom(0.05, 1, 3),
  },
})

/** One column rises above the others, as it may by chance. */
const IMPORTANCE = [1, 0.01, -0.02].map((rise, i) => ({ column: `x${i}`, rise, deviation: 0.1 }))

/** A report of nets and a line with the given qualities. */
function reportOf(given: typeof situation extends fc.Arbitrary<infer T> ? T : never): TableModelReport {
  const { rows, classes, seed, share, same } = given
  const random = new Generator(seed)
  const draws = random.uniforms(rows)
  const targets =
    classes > 0
      ? Int32Array.from(draws, (u) => (u < share ? 0 : 1 + Math.floor(((u - share) / (1 - share)) * (classes - 1))))
      : Float32Array.from(draws, (u) => 100 * u)
  const learnt = random.uniforms(200)
  const baseline =
    classes > 0
      ? baselineOf(
          Int32Array.from([...learnt.map((u) => Math.floor(u * classes))].slice(0, 200).concat([...Array(classes).keys()]), (c) => c),
          classes,
        )
      : [50 + 10 * learnt[0]]
  const said = ({ truth, noise }: Skill): Float64Array => {
    const e = random.normals(rows * (classes || 1))
    if (classes === 0) return Float64Array.from(targets, (y, i) => 50 + truth * (y - 50) + 30 * noise * e[i])
    const logits = Float64Array.from(
      e,
      (z, i) => noise * z + Math.log(baseline[i % classes]) + (targets[Math.floor(i / classes)] === i % classes ? 5 * truth : 0),
    )
    for (let row = 0; row < rows; row++) {
      const own = logits.subarray(row * classes, (row + 1) * classes)
      const sum = own.reduce((total, z) => total + Math.exp(z), 0)
      own.set(own.map((z) => Math.exp(z) / sum))
    }
    return logits
  }
  const answers = said(given.nets)
  const other = given.line && said(given.line)
  const byLine = other?.map((value, i) => same * answers[i] + (1 - same) * value) ?? null
  const besides = { ...(byLine && { line: byLine }), ...(given.before && classes === 0 && { before: said(given.before) }) }
  const compared = compareLosses(answers, targets, baseline, classes, besides)
  const classNames = Array.from({ length: classes }, (_, c) => `c${c}`)
  return {
    ...{ task: classes > 0 ? 'classification' : 'regression', target: 'y', classNames, columns: [], importance: IMPORTANCE },
    ...{
      candidates: [],
      nets: { trained: 5, used: seed % 2 ? 5 : 1 },
      curve: { loss: [1], validation: [1] },
      seconds: 1,
      seed: 0,
      advice: [],
    },
    rows: { train: 4 * rows, test: rows, dropped: 0 },
    metrics: measureMetrics(answers, targets, baseline, classes, 1, 0, besides),
    ...(compared && { compared }),
    ...(given.splitBy && { splitBy: { column: 't', from: '1' } }),
    ...(targets instanceof Int32Array
      ? { confusion: confusionOf(answers, targets, classes), calibration: calibrationOf(answers, targets, classes) }
      : {
          calibration: coverageOf(targets, (coverage) => {
            const half = 30 * given.wide * coverage
            return Array.from(answers, (value) => [value - half, value + half])
          }),
        }),
  } as unknown as TableModelReport
}

test('what is better by its own interval is not called luck where errors are heavy-tailed', () => {
  const x = new Generator(3).normals(80)
  const y = Float32Array.from(x, (value) => Math.exp(2 * value))
  // right except for an error proportional to each value
  const answers = Float64Array.from(y, (value, i) => value * (i % 2 === 0 ? 0.6 : 1.3))
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length
  const { guess } = compareLosses(answers, y, [mean], 0) ?? {}
  expect(guess?.low).toBeGreaterThan(0)
  expect(guess?.high).toBeLessThan(1.05)
})

test('differences by rounding are none', () => {
  const p = 1 / 30
  const answers = Float64Array.from({ length: 90 }, (_, i) => (i % 30 === 29 ? 1 - 29 * p : p * (1 + 2e-16)))
  const said = Array.from({ length: 30 }, () => p)
  expect(compareLosses(answers, Int32Array.of(3, 5, 9), said, 30)?.guess).toEqual({ difference: 0, low: 0, high: 0 })
  const [accuracy] = measureMetrics(answers, Int32Array.of(29, 29, 29), said, 30, 0)
  expect([accuracy.value, accuracy.low]).toEqual([0, 0])
})

/** Throws if a sentence contradicts the figures. */
function checkSentences(report: TableModelReport, advice: readonly string[]): void {
  const metric = report.metrics.find(({ name }) => name === (report.task === 'classification' ? 'log loss' : 'R²'))
  const isBetter = (a: number, b: number) => (metric?.better === 'less' ? a < b : a > b)
  const { value = 0, baseline = 0, line = 0, before = 0 } = metric ?? {}
  const { guess, line: besideLine, before: besideBefore } = report.compared ?? {}
  const slack = 1e-4 * (1 + Math.abs(value))
  for (const text of advice) {
    const [, name, first, second] = /(log loss|R²|accuracy) (-?[\d.,e+-]+\d) beside (-?[\d.,e+-]+\d)/.exec(text) ?? []
    if (name !== undefined) expect(name).toBe(metric?.name)
    if (/straight line/.test(text)) {
      const [ofLine, ofNets] = text.startsWith('A straight') ? [first, second] : [second, first]
      expect([ofLine, ofNets]).toEqual([formatMetric(line), formatMetric(value)])
      if (/is better:/.test(text)) expect(isBetter(line, value) && (besideLine?.high ?? 1) < 0).toBe(true)
      else expect(besideLine && besideLine.low <= 0 && besideLine.high >= 0).toBe(true)
      if (/at least as good/.test(text)) expect(isBetter(value, line) && Math.abs(value - line) > slack).toBe(false)
      if (/nearly as good|The nets look better/.test(text)) expect(isBetter(line, value) && Math.abs(value - line) > slack).toBe(false)
      if (/nearly as good/.test(text)) expect(besideLine?.difference).toBeLessThan(0.02)
    }
    if (/row before/.test(text)) {
      expect([first, second]).toEqual([formatMetric(before), formatMetric(value)])
      if (/is better:/.test(text)) expect(isBetter(before, value) && (besideBefore?.high ?? 1) < 0).toBe(true)
      else expect(besideBefore && besideBefore.low <= 0 && besideBefore.high >= 0).toBe(true)
      if (/at least as good/.test(text)) expect(isBetter(value, before) && Math.abs(value - before) > slack).toBe(false)
      if (/nearly as good/.test(text)) expect(besideBefore?.difference).toBeLessThan(0.02)
    }
    if (/a guess/.test(text)) {
      expect([first, second]).toEqual([formatMetric(value), formatMetric(baseline)])
      if (/better order/.test(text)) expect(report.metrics.some(({ name, low }) => name === 'ROC AUC' && low > 0.5)).toBe(true)
      if (/worse/.test(text)) expect(isBetter(baseline, value) && (guess?.high ?? 1) < 0).toBe(true)
      else {
        expect(guess && guess.low <= 0 && guess.high >= 0).toBe(true)
        expect(report.metrics.some(({ name, low }) => name === 'ROC AUC' && low > 0.5)).toBe(false)
      }
      if (/hardly better|looks better/.test(text)) expect(isBetter(baseline, value) && Math.abs(value - baseline) > slack).toBe(false)
      if (/hardly better/.test(text)) expect(guess && guess.difference > 0 && guess.difference < 0.02).toBe(true)
    }
    const never = /never predicts ((?:'c\d+'(?:, )?)+)/.exec(text)?.[1]
    for (const [, c] of never?.matchAll(/'c(\d+)'/g) ?? []) {
      expect(report.confusion?.map((row) => row[Number(c)])).toEqual(report.classNames.map(() => 0))
      expect(report.confusion?.[Number(c)].some((n) => n > 0)).toBe(true)
    }
    if (/^Nearly all comes from/.test(text)) expect(guess && guess.low > 0 && guess.difference >= 0.5).toBe(true)
    const [, said, only, held] = /Intervals that ask for ([\d.]+) % held (only )?([\d.]+) %/.exec(text) ?? []
    if (held !== undefined) expect(only ? Number(said) - Number(held) : Number(held) - Number(said)).toBeGreaterThanOrEqual(10)
    if (/wider than need be/.test(text)) {
      expect(/nets together err less/.test(text)).toBe(report.nets.used > 1)
      expect(report.calibration.bins.some((bin) => bin.said - bin.true > 0.25)).toBe(false)
      const most = Math.max(...report.calibration.bins.map((bin) => bin.true - bin.said))
      if (most > 0.25) expect(Math.abs(Number(held) - Number(said) - 100 * most)).toBeLessThan(1)
    }
    if (/no better than a guess/.test(text)) expect(guess?.difference).toBeLessThanOrEqual(0)
    if (/say little about/.test(text)) expect(report.metrics.some(({ name, low }) => name === 'ROC AUC' && low > 0.5)).toBe(false)
  }
  for (const what of [/straight line/, /a guess/, /row before/]) expect(advice.filter((text) => what.test(text)).length).toBeLessThan(2)
}

test('fault 42: random reports', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(situation, (given) => {
      const report = reportOf(given)
      const advice = adviceOn(report, { hasTime: false, counts: report.classNames.map(() => 20) })
      checkSentences(report, advice)
      for (const text of advice) seen.add(text.replaceAll("'y' ", '').replace(/[\d'].*|:.*/, ''))
    }),
    { numRuns: Number(process.env.ADVICE_RUNS ?? 150), seed: Number(process.env.SEED ?? 1) },
  )
  const all = [...seen].join('\n')
  for (const kind of [
    'is better',
    'nearly as good',
    'at least as good',
    'nets look better',
    'worse than a guess',
    'hardly better',
    'no better',
    'looks better',
    'never predicts',
    'Intervals',
    'of the row before is better',
  ])
    expect(all).toContain(kind)
})

test('small trainings', async () => {
  for (const seed of [1, 2, 3, 4]) {
    const random = new Generator(seed)
    const rows = Array.from({ length: 30 + 40 * seed }, () => {
      const [a, b, u] = random.uniforms(3)
      return { a, b, kind: u < 0.05 + 0.4 * a ? 'yes' : 'no', y: a * seed + (seed % 2 ? b * u * 9 : u) }
    })
    for (const target of ['kind', 'y'])
      for (const hidden of [[4], []]) {
        const { report } = await trainTable(rows, { target, seed, hidden, ...(hidden.length > 0 && { epochs: 3 }) })
        checkSentences(report, report.advice)
        expect(JSON.parse(JSON.stringify(report))).toEqual(report)
        if (hidden.length === 0) expect(report.advice.join()).not.toMatch(/straight line|`hidden|`time/)
      }
  }
})

test('a class that is never predicted is named first; few rows before all else', async () => {
  const rows = Array.from({ length: 600 }, (_, i) => ({ x: Math.sin(i), z: i % 7, ill: i % 20 === 0 ? 'yes' : 'no' }))
  const { report } = await trainTable(rows, { target: 'ill', epochs: 2, hidden: [2] })
  expect(report.advice[0]).toMatch(
    /^The model never predicts 'yes' \(5 % of the test rows\): accuracy says little of it\. `threshold: 'f1'` names it from a lower probability on, or `classWeights: 'balanced'` lets its rows count more, or rank rows by the probability of 'yes'\.$/,
  )
  const common = await trainTable(rows, { target: 'ill', epochs: 2, hidden: [2], positive: 'no' })
  expect(common.report.advice[0]).toMatch(/accuracy says little of it\. `classWeights: 'balanced'` lets its rows count more, or rank rows/)
  const few = await trainTable(rows.slice(0, 12), { target: 'x' })
  expect(few.report.advice[0]).toContain('12 rows are too few to say how good a model is')
  const many = Array.from({ length: 90 }, (_, i) => ({ x: i % 30, name: `k${i % 30}` }))
  const { advice } = (await trainTable(many, { target: 'name', epochs: 1, hidden: [2] })).report
  expect(advice[0]).toMatch(/^30 of 30 classes have fewer than 10 rows to learn from: gather more of them, or put such classes together\./)
})

test('a threshold that a handful of rows chose is called luck, and none is advised where it would be', async () => {
  const rows = (positives: number) =>
    Array.from({ length: 400 }, (_, i) => ({
      x: Math.sin(i * i),
      z: (i * 7) % 11,
      ill: i % Math.ceil(400 / positives) === 0 ? 'yes' : 'no',
    }))
  const options = { target: 'ill', epochs: 2, hidden: [2], seed: 1 }
  const { advice, threshold } = (await trainTable(rows(8), { ...options, threshold: 'f1' })).report
  expect(threshold).toMatchObject({ chosenBy: 'f1', rows: 6 })
  const said = advice.find((text) => text.startsWith('The threshold'))
  expect(said).toMatch(
    /^The threshold [\d.e-]+ was chosen on 6 rows of the rarer class alone, so it is mostly luck: give one .* `threshold: [\d.e-]+`/,
  )
  expect(inFlags(said ?? '')).toMatch(/--threshold [\d.e-]+, or gather/)
  expect((await trainTable(rows(8), options)).report.advice.join('\n')).not.toContain("threshold: 'f1'")
  const enough = (await trainTable(rows(80), { ...options, threshold: 'f1' })).report
  expect(enough.threshold?.rows).toBe(64)
  expect(enough.advice.join('\n')).not.toContain('mostly luck')
})

test('options are those of code, and flags in a terminal', () => {
  expect(inFlags("`hidden: []` trains it; leave it out: `exclude: ['a', 'b c']`. `time: 60` tries; another `seed`, tell")).toBe(
    "--hidden none trains it; leave it out: --exclude 'a,b c'. --time 60s tries; another --seed, tell",
  )
  expect(inFlags("`exclude: ['o\\'clock']`")).toBe("--exclude 'o'\\''clock'")
  expect(inFlags("`exclude: ['age']`")).toBe('--exclude age')
})
