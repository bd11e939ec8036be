/** Tables that are larger than memory: the same columns as from all rows at once, rows in another order, and training chunk by chunk. */
import { describe, expect, test } from 'vitest'
import { encoderFromStream, fromTable, type Row, readTable, shuffleStream, streamTable } from '../../../ts/data/index.js'
import { Adam, crossEntropy, Dense, evaluateModel, fit, Sequential } from '../../../ts/index.js'

const PENGUINS = 'docs/guide/penguins.csv'
const parts = (rows: readonly Row[], size: number) =>
  Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => rows.slice(i * size, (i + 1) * size))

describe('an encoder of a stream', () => {
  test('is that of all rows at once', async () => {
    const rows = await readTable(PENGUINS)
    for (const missing of ['auto', 'drop', 'mean'] as const) {
      const options = { target: 'species', missing, missingValues: ['NA'], scale: 'standard' } as const
      const table = fromTable(rows, options)
      for (const stream of [streamTable(PENGUINS), parts(rows, 7), parts(rows, 1)]) {
        const encoder = await encoderFromStream(stream, options)
        expect(encoder.state()).toEqual(table.state())
        expect(encoder.report).toEqual(table.report)
        expect(encoder.dataset(rows).inputs).toEqual(table.inputs)
      }
    }
  })

  test('takes a word for a class of the target, also if no part has it twice', async () => {
    const rows = Array.from({ length: 40 }, (_, x) => ({ x, effect: ['none', 'mild', 'severe', 'mild'][x % 4] }))
    for (const size of [1, 4, 40]) {
      const { classNames, report } = await encoderFromStream(parts(rows, size), { target: 'effect', missing: 'auto' })
      expect([size, classNames, report.rows]).toEqual([size, ['mild', 'none', 'severe'], 40])
    }
  })

  test('names rows by their place in all parts', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({ x: i === 40 ? 'odd' : `${i / 3}`, y: i / 7 }))
    await expect(encoderFromStream(parts(rows, 8), { target: 'y' })).rejects.toThrow("has numbers in 49 rows, but 'odd' in row 40")
    await expect(encoderFromStream([], { target: 'y' })).rejects.toThrow('encoderFromStream: there are no rows')
    await expect(encoderFromStream(5 as never, { target: 'y' })).rejects.toThrow('wants parts of rows, as streamTable gives them, got 5')
  })
})

describe('shuffleStream', () => {
  const rows = Array.from({ length: 1000 }, (_, i) => ({ i }))
  const all = async (options: object) => {
    const out: { i: number }[][] = []
    for await (const part of shuffleStream(parts(rows, 37), options)) out.push(part as { i: number }[])
    return out
  }

  test('gives each row once, in parts of one size, the same for the same seed', async () => {
    const drawn = await all({ rows: 64, seed: 3 })
    expect(drawn.map(({ length }) => length)).toEqual([...new Array(15).fill(64), 40])
    expect(
      drawn
        .flat()
        .map(({ i }) => i)
        .sort((a, b) => a - b),
    ).toEqual(rows.map(({ i }) => i))
    expect(await all({ rows: 64, seed: 3 })).toEqual(drawn)
    expect(await all({ rows: 64, seed: 4 })).not.toEqual(drawn)
  })

  test('mixes as far as its buffer reaches', async () => {
    const [first] = await all({ rows: 100, buffer: 1000 })
    const mean = first.reduce((sum, { i }) => sum + i, 0) / 100
    expect(Math.abs(mean - 500)).toBeLessThan(100)
    const [near] = await all({ rows: 100, buffer: 1 })
    expect(Math.max(...near.map(({ i }) => i))).toBeLessThan(150)
  })
})

test('a net learns from parts, epoch after epoch', async () => {
  const encoder = await encoderFromStream(streamTable(PENGUINS), { target: 'species', missing: 'auto', scale: 'standard' })
  const model = new Sequential([new Dense(encoder.features, 16, { activation: 'relu' }), new Dense(16, encoder.classes)], { seed: 1 })
  const optimizer = new Adam(model.parameters(), { learningRate: 0.01 })
  for (let epoch = 0; epoch < 8; epoch++)
    for await (const rows of shuffleStream(streamTable(PENGUINS), { rows: 100, buffer: 400, seed: epoch }))
      await fit(model, { ...encoder.dataset(rows), loss: crossEntropy, optimizer, seed: epoch })
  const { accuracy } = evaluateModel(model, { ...encoder.dataset(await readTable(PENGUINS)), metrics: ['accuracy'] })
  expect(accuracy).toBeGreaterThan(0.97)
})

test('a column of very many values takes no more memory than it should', async () => {
  function* many() {
    for (let from = 0; from < 200_000; from += 1000)
      yield Array.from({ length: 1000 }, (_, i) => ({
        user: `u${(from + i) % 50_000}`,
        note: `n${from + i}`,
        x: from + i,
        y: (from + i) % 2,
      }))
  }
  const { report, features } = await encoderFromStream(many(), { target: 'y' })
  expect(report.columns.map(({ as }) => as)).toEqual(['left out', 'left out', 'number', 'category'])
  expect(features).toBe(1)
  const hashed = await encoderFromStream(many(), { target: 'y', columns: { user: { as: 'hash', buckets: 8 } } })
  expect(hashed.featureNames).toEqual([...Array.from({ length: 8 }, (_, i) => `user#${i}`), 'x'])
})

test('the middle of very many numbers is near that of all, of a stream too; of all at once it is that', async () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => ({ x: ((i * 7919) % 200_003) / 200_003, y: i % 2 }))
  const options = { target: 'y', missing: 'median', scale: 'robust' } as const
  const centerOf = (encoder: { state(): { columns: readonly { center?: number }[] } }) => encoder.state().columns[0].center as number
  const middle = rows.map(({ x }) => x).sort((a, b) => a - b)
  expect(centerOf(fromTable(rows, options))).toBe((middle[99_999] + middle[100_000]) / 2)
  expect(Math.abs(centerOf(await encoderFromStream(parts(rows, 5000), options)) - 0.5)).toBeLessThan(0.01)
})
