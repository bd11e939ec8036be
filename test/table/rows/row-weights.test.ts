/** Weights of rows from a column. */
import { expect, test } from 'vitest'
import { Generator } from '../../../ts/index.js'
import { type NumberPrediction, type TrainTableOptions, trainTable } from '../../../ts/table/index.js'
import { rowWeights, weightyRows } from '../../../ts/table/rows/row-weights.js'

const random = new Generator(2)
const draws = Array.from(random.uniforms(900))
/** Two kinds of rows that nothing tells apart: of weight 9 around 10, of weight 1 around 0. */
const rows = Array.from({ length: 300 }, (_, i) => {
  const [x, u, v] = draws.slice(3 * i)
  const isHeavy = u < 0.5
  return { x, w: isHeavy ? 9 : 1, y: (isHeavy ? 10 : 0) + v, kind: isHeavy ? 'a' : 'b' }
})
const small = { hidden: [8], epochs: 15, learningRate: 0.02, weights: 'w' } as const
const ask = Array.from({ length: 20 }, (_, i) => ({ x: i / 20 }))
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

test('nets and the straight line count rows by their weights, for numbers and classes', async () => {
  const of = async (options: Partial<TrainTableOptions>) => {
    const { model } = await trainTable(rows, { ...small, target: 'y', exclude: ['kind'], ...options })
    expect(model.columns).toEqual(['x'])
    return mean((model.predict(ask) as NumberPrediction[]).map(({ value }) => value))
  }
  expect(await of({})).toBeGreaterThan(8.5)
  expect(await of({ distribution: 'poisson' })).toBeGreaterThan(8)
  const { hidden: _, epochs: __, learningRate: ___, ...ofLine } = small
  const line = await trainTable(rows, { ...ofLine, hidden: [], target: 'y', exclude: ['kind'] })
  expect(mean((line.model.predict(ask) as NumberPrediction[]).map(({ value }) => value))).toBeGreaterThan(8.5)
  const { model: unweighted } = await trainTable(rows, { target: 'y', hidden: [8], epochs: 15, exclude: ['kind', 'w'] })
  expect(mean((unweighted.predict(ask) as NumberPrediction[]).map(({ value }) => value))).toBeLessThan(7)
  const { model } = await trainTable(rows, { ...small, target: 'kind', exclude: ['y'] })
  expect(mean(ask.map((row) => (model.predict(row) as { probabilities: Record<string, number> }).probabilities.a))).toBeGreaterThan(0.8)
})

test('equal weights change nothing', async () => {
  const equal = rows.map(({ w, ...row }) => ({ ...row, w: 3 }))
  const options = { ...small, epochs: 3, target: 'y', exclude: ['kind'] }
  const [a, b] = [
    await trainTable(equal, options),
    await trainTable(equal, { target: 'y', hidden: [8], epochs: 3, learningRate: 0.02, exclude: ['kind', 'w'] }),
  ]
  const values = ({ model }: typeof a) => (model.predict(ask) as unknown as NumberPrediction[]).map(({ value }) => value)
  for (const [i, value] of values(a).entries()) expect(value).toBeCloseTo(values(b)[i], 4)
})

test('rows of weight 0 are not learned from, wherever they lie', async () => {
  for (const seed of [0, 1, 2]) {
    const some = rows.slice(0, 12).map((row, i) => ({ ...row, w: i % 3 === 0 ? row.w : 0 }))
    const { report } = await trainTable(some, { ...small, epochs: 1, target: 'y', exclude: ['kind'], test: rows.slice(0, 9), seed })
    expect(report.rows.train).toBe(4)
  }
})

test('what is no weight is refused by row', () => {
  const given = (...weights: unknown[]) => weights.map((w) => ({ w }))
  const of = (...weights: unknown[]) => {
    const some = given(...weights)
    return [...rowWeights(some, weightyRows(some, some, 'w'), 'w')]
  }
  expect(of(1, '3', 0)).toEqual([0.5, 1.5])
  expect(of(1e38, 3e38)).toEqual([expect.closeTo(0.5), expect.closeTo(1.5)])
  for (const wrong of [-1, null, '', 'x', Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => of(1, wrong)).toThrow(/^trainTable: weights: column 'w' of row 1 wants a number from 0, got /)
  expect(() => of(0, 0)).toThrow("trainTable: weights: column 'w' is 0 in all rows to learn from")
})

test('a column that is not there is refused by name', async () => {
  await expect(trainTable(rows, { ...small, weights: 'z', target: 'y' })).rejects.toThrow(
    "trainTable: weights: there is no column 'z', only x, w, y, kind",
  )
  await expect(trainTable(rows, { ...small, weights: 'y', target: 'y' })).rejects.toThrow('weights wants another column than the target')
})
