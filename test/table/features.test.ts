/** Inputs of nets from encoded rows. */
import { expect, test } from 'vitest'
import { type NumberPrediction, trainTable } from '../../ts/table/index.js'

test('a column whose quartiles differ by next to nothing, and huge later values, give finite predictions', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ a: i < 8 ? i : (i % 3) * 5e-324, b: i % 7, y: i + (i % 7) }))
  for (const options of [{ hidden: [4], epochs: 2 }, { hidden: [] }] as const) {
    const { model } = await trainTable(rows, { target: 'y', ...options })
    const answers = model.predict([...rows, { a: 1e38, b: 1e38 }, { a: -1e38, b: 0 }]) as NumberPrediction[]
    for (const { value, low, high } of answers) expect([value, low, high].every(Number.isFinite)).toBe(true)
  }
})
