/** Distributions of numeric targets: losses, links, the way back to numbers, and the metric that decides training. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Generator, tensor } from '../../../ts/index.js'
import {
  evaluateTable,
  loadTableModel,
  type NumberPrediction,
  type TableModel,
  type TrainTableOptions,
  tableToFunction,
  trainTable,
} from '../../../ts/table/index.js'
import { metricsOf } from '../../../ts/table/measure/metrics.js'
import { tableModelFrom } from '../../../ts/table/model/model.js'
import { type Distribution, eligible, numberOf, responseOf } from '../../../ts/table/target/response.js'

const small = { target: 'y', hidden: [12], epochs: 20, learningRate: 0.03 } as const

/** Rows whose number is drawn around exp(1 + 2·a). */
function growing(count: number, draw: (mean: number, u: () => number) => number, seed = 1) {
  const random = new Generator(seed)
  const u = () => random.uniforms(1)[0]
  return Array.from({ length: count }, () => {
    const [a, b] = [u(), u()]
    return { a, b, y: draw(Math.exp(1 + 2 * a), u) }
  })
}

/** A count with this mean (Knuth, *The Art of Computer Programming*, vol. 2, §3.4.1). */
function count(mean: number, u: () => number): number {
  let [k, p] = [-1, 1]
  for (const least = Math.exp(-mean); p > least; k++) p *= u()
  return Math.max(0, k)
}
const gammaOf2 = (mean: number, u: () => number) => (-mean / 2) * Math.log(Math.max(1e-12, u() * u()))

const predicted = (model: TableModel, rows: readonly object[]) => (model.predict(rows) as NumberPrediction[]).map(({ value }) => value)
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

async function inJavaScript(model: TableModel, rows: readonly object[]): Promise<NumberPrediction[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-response-'))
  try {
    const file = path.join(folder, 'model.mjs')
    writeFileSync(file, tableToFunction(model))
    return (await import(pathToFileURL(file).href)).predict(rows)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const counts = growing(300, count)
const amounts = growing(300, gammaOf2)

test.each([
  ['poisson', counts],
  ['gamma', amounts],
  ['logNormal', amounts],
] as const)(
  '%s predicts numbers above 0 with the mean of the target, and so do its file and its JavaScript',
  async (distribution, rows) => {
    const { model, report } = await trainTable(rows, { ...small, distribution })
    expect(report.distribution).toBe(distribution)
    expect(report.metrics.map(({ name }) => name)).toContain('mean Poisson deviance')
    if (distribution !== 'poisson') expect(report.metrics.map(({ name }) => name)).toContain('mean gamma deviance')
    expect(report.metrics[0].value).toBeGreaterThan(0.05)
    // far outside the rows too
    const some = [...rows.slice(0, 50), { a: -40, b: 3 }, { a: 50, b: 0.5 }, { a: null, b: null }]
    const values = predicted(model, some)
    expect(values.every((value) => value > 0 && Number.isFinite(value))).toBe(true)
    expect(mean(predicted(model, rows)) / mean(rows.map(({ y }) => y))).toBeCloseTo(1, 0)
    const again = await loadTableModel(model.bytes())
    expect(predicted(again, some)).toEqual(values)
    const inJs = await inJavaScript(model, some)
    for (const [i, { value }] of inJs.entries()) expect(Math.abs(value / values[i] - 1)).toBeLessThan(1e-5)
    expect(evaluateTable(model, rows).metrics.map(({ name }) => name)).toContain('mean Poisson deviance')
  },
)

test('a metric decides what nets learn: the absolute error the median, F1 and balanced accuracy the threshold', async () => {
  const skewed = amounts.map(({ a, b, y }) => ({ a, b, y: y ** 2 }))
  const by = async (options: Partial<TrainTableOptions>) => {
    const { model, report } = await trainTable(skewed, { ...small, ...options })
    const below = predicted(model, skewed).filter((value, i) => skewed[i].y < value).length
    return { below: below / skewed.length, distribution: report.distribution, metric: report.metrics[0].name }
  }
  const median = await by({ metric: 'mae' })
  expect(median).toMatchObject({ distribution: 'laplace', metric: 'mean absolute error' })
  expect(Math.abs(median.below - 0.5)).toBeLessThan(0.07)
  expect((await by({})).below).toBeGreaterThan(0.6)
  expect(await by({ metric: 'mae', distribution: 'normal' })).toMatchObject({ distribution: undefined })

  const rare = amounts.map(({ a, b, y }) => ({ a, b, y: y > 30 ? 'yes' : 'no' }))
  const decided = async (options: Partial<TrainTableOptions>) =>
    (await trainTable(rare, { ...small, epochs: 5, ...options })).report.threshold
  expect(await decided({ metric: 'f1' })).toEqual(await decided({ metric: 'f1', threshold: 'f1' }))
  expect((await decided({ metric: 'balancedAccuracy' }))?.chosenBy).toBe('balanced')
  expect(await decided({ metric: 'f1', threshold: 0.5 })).toEqual({ value: 0.5 })
  expect(await decided({ metric: 'rocAuc' })).toBeUndefined()
})

test('auto takes the distribution that is best on held-out rows', async () => {
  const wide = growing(500, (m, u) => m ** 3 * Math.exp(u() + u() - 1))
  const { report } = await trainTable(wide, { ...small, distribution: 'auto' })
  expect(['gamma', 'logNormal']).toContain(report.distribution)
  const around = growing(300, (m, u) => 5 * m - 40 + u())
  expect((await trainTable(around, { ...small, epochs: 5, distribution: 'auto' })).report.distribution).toBeUndefined()
})

test('eligible distributions are those that every number of the target allows', () => {
  const number = fc.oneof(fc.integer({ min: -2, max: 9 }), fc.double({ min: -1, max: 1e6, noNaN: true }))
  fc.assert(
    fc.property(fc.array(number, { minLength: 3, maxLength: 30 }), fc.constantFrom(0, 7), (given, center) => {
      const numbers = Float32Array.from(given, (y) => y - center)
      const whole = Array.from(numbers, (y) => y + center)
      for (const one of eligible(numbers, center)) {
        const { targets, scale } = responseOf(one, numbers, center, 'y')
        expect(targets.every(Number.isFinite)).toBe(true)
        expect(Number.isFinite(scale.mean)).toBe(true)
        if (one === 'logNormal') for (const [i, t] of targets.entries()) expect(numberOf(scale, t) / whole[i]).toBeCloseTo(1, 3)
      }
      const refused: Distribution[] = ['poisson', 'gamma', 'logNormal']
      const least = Math.min(...whole)
      for (const one of refused)
        if (least < 0 || (least === 0 && one !== 'poisson'))
          expect(() => responseOf(one, numbers, center, 'y')).toThrow(/^trainTable: distribution '\w+' wants .* in column 'y', got /)
    }),
    { seed: 1 },
  )
})

test('what does not fit is refused by name', async () => {
  const wrong = (rows: readonly object[], options: object, message: string) =>
    expect(trainTable(rows, { ...small, ...options } as TrainTableOptions)).rejects.toThrow(message)
  await wrong(
    counts,
    { distribution: 'gamma' },
    "trainTable: distribution 'gamma' wants numbers above 0 in column 'y', got 0; leave distribution out",
  )
  await wrong(
    counts.map(({ y, ...row }) => ({ ...row, y: y - 5 })),
    { distribution: 'poisson' },
    "distribution 'poisson' wants counts from 0 in column 'y', got -",
  )
  await wrong(
    counts.map(({ y, ...row }) => ({ ...row, y: y > 9 ? 'many' : 'few' })),
    { distribution: 'poisson' },
    "trainTable: distribution is for numbers, and column 'y' has 2 classes; leave it out",
  )
  // so few counts would be classes
  for (const as of [Number, String]) {
    const few = counts.map(({ y, ...row }) => ({ ...row, y: as(Math.min(y, 3)) }))
    expect((await trainTable(few, { target: 'y', distribution: 'poisson', hidden: [2], epochs: 1 })).report.task).toBe('regression')
  }
  await expect(trainTable(counts, { target: 'y', distribution: 'poisson', hidden: [] })).rejects.toThrow(
    "trainTable: hidden: [] is a ridge regression, of normal errors; leave hidden out, or distribution: 'poisson'",
  )
  await wrong(
    counts,
    { distribution: 'tweedie' },
    "trainTable: distribution wants 'normal', 'laplace', 'poisson', 'gamma', 'logNormal' or 'auto'",
  )
  const { model } = await trainTable(amounts, { ...small, epochs: 2, distribution: 'gamma' })
  const forged = (state: object) => () => tableModelFrom(model.net, JSON.stringify({ ...model.saved(), ...state }))
  expect(forged({})).not.toThrow()
  expect(forged({ scale: { mean: 0, deviation: 1, link: 'logit' } })).toThrow('wants a model of a table')
})

test('deviances are those of scikit-learn', () => {
  // mean_poisson_deviance and mean_gamma_deviance of scikit-learn 1.9.1, for y = [2, 0, 1, 4] and [2, 0.5, 1, 4], predicted [0.5, 0.5, 2, 2]
  const deviances = (targets: number[]) => {
    const p = tensor([[0.5], [0.5], [2], [2]])
    const t = tensor(targets.map((y) => [y]))
    return metricsOf(0, { arePositive: true })
      .slice(-2)
      .map(({ of }) => of(p, t))
  }
  expect(deviances([2, 0, 1, 4])[0]).toBeCloseTo(1.4260151, 5)
  expect(deviances([2, 0, 1, 4])[1]).toBeNaN()
  expect(deviances([2, 0.5, 1, 4])[1]).toBeCloseTo(1.0568528, 5)
})
