/** What bench/tables/write.ts says of gradus beside contestants that lack some results. */
import { expect, test } from 'vitest'
import { compared, type Results, summaryOf, tablesSection } from '../../bench/tables/write.js'

const scores = (loss: number, cpu = 1) => ({ loss, cpu, date: '2026-01-01' })
const results: Results = {
  a: {
    0: {
      gradus: scores(1),
      XGB_TD: scores(2),
      TabM_D: scores(0.5, 200),
      'XGB_TD, bag of 5': scores(1.25),
      'AutoGluon best': scores(0.8, 60),
    },
    1: { gradus: scores(1), XGB_TD: scores(8) },
    // gradus has no result here
    2: { XGB_TD: scores(100) },
  },
  b: { 0: { gradus: scores(3), XGB_TD: scores(2), TabM_D: null, 'XGB_TD, bag of 5': scores(2) } },
  c: { 0: { gradus: scores(3), XGB_TD: scores(4) } },
}

test('each comparison is over the tables and splits that both have', () => {
  const { others, ranks, beside } = compared(results)
  expect(others.map(({ who, tables, splits, won }) => ({ who, tables, splits, won }))).toEqual([
    { who: 'XGB_TD', tables: 3, splits: 4, won: 2 },
    { who: 'TabM_D', tables: 1, splits: 1, won: 0 },
  ])
  // of a, the mean of the two splits: 1/2 and 1/8
  expect(others[0].ratio).toBeCloseTo(((1 / 4) * (3 / 2) * (3 / 4)) ** (1 / 3), 12)
  expect(others[0].median).toBeCloseTo(3 / 4, 12)
  expect(others[1]).toMatchObject({ ratio: 2, cpu: 200 })
  // TabM_D has no result on b, so it has no rank
  expect(ranks).toEqual([
    ['gradus', 4 / 3],
    ['XGB_TD', 5 / 3],
  ])
  expect(beside.map(([name, , best]) => `${name}: ${best}`)).toEqual(['a: TabM_D', 'b: XGB_TD', 'c: XGB_TD'])
})

test('AutoGluon stands beside the bags', () => {
  expect(compared(results, 'gradus', true).others.map(({ who, tables }) => [who, tables])).toEqual([
    ['XGB_TD, bag of 5', 2],
    ['AutoGluon best', 1],
  ])
  expect(summaryOf(results, 'gradus', true)).toContain('beside AutoGluon best: 1.250, median 1.250, better on 0 of 1')
  expect(tablesSection(results)).toContain('| | XGB_TD | AutoGluon best |')
})

test('a table tells a training that has not been run from one that was late', () => {
  const lines = tablesSection(results).split('\n')
  expect(lines).toContain('| a | 1 | 2 | **0.5** |')
  expect(lines).toContain('| b | 3 | **2** | late |')
  expect(lines).toContain('| c | **3** | 4 | - |')
  expect(lines).toContain('| gradus better on |  | 2 of 3 | 0 of 1 |')
  expect(lines).toContain('| splits compared |  | 4 | 1 |')
})

test('a contestant with less than a fifth of the tables has a line instead of a column', () => {
  const more = Object.fromEntries(
    ['d', 'e', 'f', 'g'].map((name) => [name, { 0: { gradus: scores(3), XGB_TD: scores(4), 'XGB_TD, bag of 5': scores(3) } }]),
  )
  const lines = tablesSection({ ...results, ...more }).split('\n')
  expect(lines).toContain('| a | **1** | 2 |')
  expect(lines).toContain('TabM_D has few tables yet: 2.000, gradus better on 0 of 1, 200 CPU seconds.')
  expect(lines).toContain('AutoGluon best has few tables yet: 1.250, gradus better on 0 of 1, 60 CPU seconds.')
  // six tables are enough for a p, three are not
  expect(lines).toContain('| gradus | 1.031, 1 of 6, p 0.3 |')
  expect(tablesSection(results).split('\n')).toContain('| p by Wilcoxon |  | - | - |')
})
