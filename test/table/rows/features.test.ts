/** Inputs of nets from encoded rows. */
import { expect, test } from 'vitest'
import { Generator } from '../../../ts/index.js'
import { type ClassPrediction, type NumberPrediction, prepareTable, tableToFunction, trainTable } from '../../../ts/table/index.js'
import { binsFor } from '../../../ts/table/rows/features.js'

test('a column whose quartiles differ by next to nothing, and huge later values, give finite predictions', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ a: i < 8 ? i : (i % 3) * 5e-324, b: i % 7, y: i + (i % 7) }))
  for (const options of [{ hidden: [4], epochs: 2 }, { hidden: [] }] as const) {
    const { model } = await trainTable(rows, { target: 'y', ...options })
    const answers = model.predict([...rows, { a: 1e38, b: 1e38 }, { a: -1e38, b: 0 }]) as NumberPrediction[]
    for (const { value, low, high } of answers) expect([value, low, high].every(Number.isFinite)).toBe(true)
  }
})

test('classes of a line have probabilities for values that 32 bits do not hold, once scaled, and beside tiny ones', async () => {
  const later = [{ a: 3e38 }, { a: -3e38 }, { a: 0 }, { a: 1e-40 }, { a: 1 }]
  for (const a of [
    [3e38, 0, 0, 1e-40],
    [0, 1e-40, 0, 0, 0, 1e-40],
    [0, 1e-17, 0, 0, 0, 1e-17, 0, 0],
  ]) {
    const rows = a.map((value, i) => ({ a: value, y: i % 2 === 0 ? 'even' : 'odd' }))
    const { model } = await trainTable(rows, { target: 'y', hidden: [] })
    const answers = model.predict([...rows, ...later]) as ClassPrediction[]
    for (const { probabilities } of answers) expect(probabilities.even + probabilities.odd).toBeCloseTo(1)
    const url = `data:text/javascript,${encodeURIComponent(tableToFunction(model))}`
    const { predict } = (await import(/* @vite-ignore */ url)) as { predict(rows: readonly object[]): ClassPrediction[] }
    for (const [i, { probabilities }] of predict([...rows, ...later]).entries())
      expect(probabilities.even).toBeCloseTo(answers[i].probabilities.even, 4)
  }
})

test('numbers are cut finely for a numeric target, coarsely for classes and where memory would not do', async () => {
  const random = new Generator(1)
  const rows = Array.from({ length: 500 }, () => ({ a: random.next(), y: random.next() }))
  const widthFor = async (count: number, target: (y: number) => number | string) => {
    const some = rows.slice(0, count).map(({ a, y }) => ({ a, y: target(y) }))
    return (await prepareTable(some, { target: 'y', testFraction: 0 })).width
  }
  expect(await widthFor(500, (y) => y)).toBe(1 + 48)
  expect(await widthFor(100, (y) => y)).toBe(1 + 10)
  expect(await widthFor(25, (y) => y)).toBe(1)
  expect(await widthFor(500, (y) => (y < 0.5 ? 'low' : 'high'))).toBe(1 + 8)
  expect(binsFor(43_000, 6, 0)).toBe(23)
  expect(binsFor(20_000, 20, 0)).toBe(16)
  expect(binsFor(1_000_000, 50, 0)).toBe(16)
  expect(binsFor(1_000_000, 50, 2)).toBe(16)
  // a wide table has fewer
  expect([85, 800, 2000].map((numbers) => binsFor(5000, numbers, 0))).toEqual([16, 5, 2])
  expect([85, 800, 2000].map((numbers) => binsFor(5000, numbers, 2))).toEqual([16, 5, 2])
})
