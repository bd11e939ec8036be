/** Columns of very many categories in trainTable: each category has a vector, which a net learns. */
import { describe, expect, test } from 'vitest'
import type { Row } from '../../../ts/data/index.js'
import { EmbedColumns, Generator, type Module } from '../../../ts/index.js'
import { loadTableModel, type NumberPrediction, type TableModel, tableToFunction, trainTable } from '../../../ts/table/index.js'
import { counted } from '../../tools/clocks.js'

const SHOPS = 150
const ROWS = 3000

/** Sales, which depend on the shop and the price; a hash mixes shops that have nothing in common. */
function sales(): Row[] {
  const random = new Generator(1)
  const ofShop = random.normals(SHOPS)
  const draws = random.uniforms(2 * ROWS)
  return Array.from({ length: ROWS }, (_, i) => {
    const [shop, price] = [Math.floor(SHOPS * draws[2 * i]), draws[2 * i + 1]]
    return { shop: `shop ${shop}`, price, sales: 100 * ofShop[shop] * (1.5 - price) }
  })
}

describe('a column of many texts', async () => {
  const rows = sales()
  const { model, report } = await trainTable<NumberPrediction>(rows, { target: 'sales', seed: 1, columns: { sales: 'number' } })
  const member = (net: Module) => net.modules().filter((layer) => layer instanceof EmbedColumns)

  test('is embedded where each has rows enough, which the report tells, and beats a hash', async () => {
    const [shop] = report.columns
    expect(shop).toMatchObject({ name: 'shop', as: 'embedding', features: 1 })
    expect(shop.why).toBe('it has texts, 150 different ones, of which each gets a vector that is learnt')
    const [{ columns }] = member(model.net)
    expect(columns).toEqual([{ feature: 0, count: SHOPS + 1, size: 27 }])
    expect(member(model.net)).toHaveLength(5)
    expect(report.importance.map(({ column }) => column).sort()).toEqual(['price', 'shop'])
    expect(report.importance[0].column).toBe('shop')
    expect(report.metrics[0].value).toBeGreaterThan(0.9)
    const hashed = await trainTable(rows, { target: 'sales', seed: 1, columns: { sales: 'number', shop: 'hash' } })
    expect(hashed.report.metrics[0].value).toBeLessThan(report.metrics[0].value - 0.1)
  })

  test('a shop that is new has the vector of unknown ones, and is counted', () => {
    const known = model.predict(rows[0]).value
    const other = model.predict([
      { ...rows[0], shop: 'another' },
      { ...rows[0], shop: null },
    ])
    expect(other[0].value).toBe(other[1].value)
    expect(other[0].value).not.toBe(known)
    expect(Math.abs(other[0].value)).toBeLessThan(100)
    expect(model.unknown.shop).toEqual({ count: 1, values: ['another'] })
  })

  test('a file and a function have it', async () => {
    const again: TableModel<NumberPrediction> = await loadTableModel(model.bytes())
    const some = rows.slice(0, 50)
    expect(again.predict(some)).toEqual(model.predict(some))
    const source = tableToFunction(model)
    const { predict } = (await import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`)) as {
      predict: (rows: readonly object[]) => NumberPrediction[]
    }
    const odd = [...some, { shop: 'another', price: 0.5 }]
    const [own, alone] = [model.predict(odd), predict(odd)]
    for (const [i, { value }] of alone.entries()) expect(Math.abs(value - own[i].value)).toBeLessThan(1e-3)
  })
})

test('a column is embedded where somebody says so, with vectors as long as said; rare categories share one', async () => {
  const random = new Generator(2)
  const rows = Array.from(random.uniforms(300), (u, i) => ({
    kind: i < 10 ? `rare ${i}` : 'abcdef'[Math.floor(6 * u)],
    place: 'uvw'[i % 3],
    y: Math.floor(6 * u) % 2 === 0 ? 'even' : 'odd',
  }))
  const columns = { kind: { as: 'embedding', size: 4 }, place: 'embedding' } as const
  const { model, report } = await counted(() => trainTable(rows, { target: 'y', columns, time: 100, test: rows }))
  const [embed] = model.net.modules().filter((layer) => layer instanceof EmbedColumns)
  expect(embed.columns).toEqual([
    { feature: 0, count: 7, size: 4 },
    { feature: 1, count: 4, size: 3 },
  ])
  expect(report.columns[0].why).toBe('you said so')
  expect(report.metrics[0].value).toBeGreaterThan(0.9)
  const ask = (kind: string) => model.predict({ kind, place: 'u' }).probability
  expect(ask('rare 1')).toBe(ask('rare 7'))
  expect(ask('rare 1')).toBe(ask('never seen'))
  await expect(trainTable(rows, { target: 'y', columns: { kind: { as: 'embedding', size: 0 } } })).rejects.toThrow(
    "columns of 'kind': size wants a whole number from 1 to 1024, got 0",
  )
})

test('a column of many texts with few rows each shares features by a hash, as before', async () => {
  const rows = Array.from({ length: 600 }, (_, i) => ({ who: `person ${i % 200}`, x: i % 7, y: (i * 7919) % 3 }))
  const { report } = await counted(() => trainTable(rows, { target: 'y', time: 20 }))
  expect(report.columns[0].as).toBe('hash')
})
