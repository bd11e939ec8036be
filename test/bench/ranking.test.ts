/** The ranking of optimizers in docs/guide/choose.md says what bench/results/which-optimizer.json has. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { rankingTable, ranksOf, type WhichRow } from '../../bench/tools/ranking.js'

const { rows } = JSON.parse(readFileSync('bench/results/which-optimizer.json', 'utf8')) as { rows: WhichRow[] }
const guide = readFileSync('docs/guide/choose.md', 'utf8')
const { sets, ranks } = ranksOf(rows)
const of = (name: string) => ranks.find(({ optimizer }) => optimizer === name) as (typeof ranks)[number]

test('the table is that of the results', () => {
  expect(guide).toContain(`## Thirteen optimizers on ${sets} data sets`)
  expect(ranks).toHaveLength(13)
  expect(guide).toContain(rankingTable(rows))
})

test('the sentences below it hold', () => {
  expect(ranks.filter(({ loss }) => Math.abs(loss - 1) < 0.015)).toHaveLength(12)
  expect(Math.max(...ranks.map(({ firsts }) => firsts))).toBe(of('Muon').firsts)
  expect(of('Muon').loss).toBeCloseTo(0.99, 2)
  expect(of('Muon').time).toBeGreaterThan(2.5)
  expect(of('Muon').time).toBeLessThan(3)
  expect(of('SOAP').firsts).toBe(7)
  expect(of('SOAP').worst).toBeGreaterThan(1.25)
  expect(Math.round(of('SOAP').time)).toBe(9)
  expect(of('Cautious(AdamW)').loss).toBeCloseTo(1, 2)
  expect(Math.round(of('Cautious(AdamW)').time)).toBe(4)
  expect(of('AdamW, averaged').loss).toBeCloseTo(1, 2)
  expect(of('ScheduleFreeAdamW').loss).toBeCloseTo(1.01, 2)
  expect(ranks.at(-1)?.optimizer).toBe('Lion')
  expect(of('Lion').worst).toBeGreaterThan(3.5)
})

test('a data set that one optimizer lacks does not count, and equal losses share a place', () => {
  const row = (data: string, optimizer: string, loss: number): WhichRow => {
    return { data, optimizer, learningRate: 1, test: [loss, loss], width: 1, seconds: optimizer === 'Adam' ? 2 : 4 }
  }
  const both = [row('a', 'AdamW', 2), row('a', 'Adam', 1), row('b', 'AdamW', 3), row('b', 'Adam', 3), row('c', 'Adam', 1)]
  expect(ranksOf(both)).toEqual({
    sets: 2,
    ranks: [
      { optimizer: 'Adam', rank: 1, spread: 0, firsts: 2, loss: 0.75, worst: 1, time: 1, width: 1 },
      { optimizer: 'AdamW', rank: 1.5, spread: Math.sqrt(0.25 / 2), firsts: 1, loss: 1, worst: 1, time: 2, width: 1 },
    ],
  })
})
