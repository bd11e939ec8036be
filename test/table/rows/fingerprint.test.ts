/** Evaluation reports if a model is evaluated on its own training rows. */
import { expect, test } from 'vitest'
import { readTable } from '../../../ts/data/index.js'
import { evaluateTable, loadTableModel, type TableModel, trainTable } from '../../../ts/table/index.js'
import { tableModelFrom } from '../../../ts/table/model/model.js'
import { fingerprintOf, hashesOf, shareIn } from '../../../ts/table/rows/fingerprint.js'

const quick = { hidden: [4], epochs: 2 }

test('of the rows it learnt from it says how many are there, also from a file; of others none', async () => {
  const rows = await readTable('docs/guide/penguins.csv')
  const [train, test] = [rows.filter((_, i) => i % 3 > 0), rows.filter((_, i) => i % 3 === 0)]
  const { model } = await trainTable(train, { target: 'species', test, ...quick })
  const again: TableModel = await loadTableModel(model.bytes())
  expect(evaluateTable(again, rows).learnt).toBe(1)
  expect(evaluateTable(again, test).learnt).toBe(0)
  expect(evaluateTable(again, train.slice(0, 115)).learnt).toBeCloseTo(0.5, 1)
  // numbers as text or not, and columns in another order, make no difference
  const turned = train.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, x]) => [name, x !== '' && Number.isFinite(Number(x)) ? Number(x) : x])),
  )
  expect(evaluateTable(again, turned).learnt).toBe(1)
})

test('numbers to predict are among what tells rows apart', async () => {
  const rows = Array.from({ length: 90 }, (_, i) => ({ x: i % 3, y: i / 7 }))
  const { model } = await trainTable(rows, { target: 'y', ...quick })
  expect(evaluateTable(model, rows).learnt).toBe(1)
  expect(
    evaluateTable(
      model,
      rows.map((row) => ({ ...row, y: row.y + 100 })),
    ).learnt,
  ).toBe(0)
})

test('nothing is said of tables whose rows are alike, and a file without hashes is damaged', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ x: i % 4, y: i % 2 ? 'a' : 'b' }))
  const { model } = await trainTable(rows, { target: 'y', ...quick })
  expect(evaluateTable(model, rows).learnt).toBeUndefined()
  for (const fingerprint of [undefined, 'no'])
    expect(() => tableModelFrom(model.net, JSON.stringify({ ...model.saved(), fingerprint }))).toThrow('damaged')
})

test('hashes of rows that differ in one bit differ, whatever the column', () => {
  const features = 5
  const inputs = Float32Array.from({ length: 200 * features }, (_, i) => ((i * 7919) % 1009) / 1009)
  const targets = new Int32Array(200)
  const before = hashesOf(inputs, features, targets)
  expect(new Set(before).size).toBe(200)
  for (let column = 0; column < features; column++) {
    const changed = inputs.map((x, i) => (i % features === column ? x + 2 ** -20 : x))
    expect(hashesOf(changed, features, targets).some((hash, row) => hash === before[row])).toBe(false)
  }
  const fingerprint = fingerprintOf(before.subarray(0, 150), before.subarray(150))
  expect(fingerprint).toHaveLength(64)
  expect([shareIn(fingerprint, before.subarray(150)), shareIn(fingerprint, before), shareIn([], before)]).toEqual([0, 1, undefined])
})
