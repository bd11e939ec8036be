/** Reports at a terminal: tables fit, and their columns are aligned whatever script names are written in. */
import { expect, test } from 'vitest'
import { cellsOf } from '../../ts/common/text-width.js'
import { page } from '../../ts/report/page.js'
import { textOf } from '../../ts/report/text.js'

const score = { value: 0.5, low: 0.25, high: 0.75, better: 'more', beside: { 'a straight line': 0.375, 'a guess': 0.125 } } as const

test.each([80, 120])('names that are long are cut where a table would be wider than %i columns', (width) => {
  const name = `precision of '${'a very long name of a class '.repeat(3)}'`
  const lines = textOf(
    [
      {
        kind: 'scores',
        title: '',
        on: 'metric',
        scores: [
          { name: 'accuracy', ...score },
          { name, ...score },
        ],
      },
    ],
    { width },
  ).split('\n')
  for (const line of lines) expect(cellsOf(line)).toBeLessThanOrEqual(width)
  expect(lines[2]).toMatch(/^ {2}precision of 'a.*… /)
  expect(lines.every((line) => line.endsWith(lines[0].slice(-7)) || /0\.125$/.test(line))).toBe(true)
})

test('a name of a metric is whole where its note fits no more', () => {
  const beside = { 'a straight line': 1, 'as the row before': 2, 'a guess': 3, 'the other model': 4 }
  const scores = [{ ...score, name: 'mean absolute error', better: 'less' as const, beside }]
  const shown = (width: number) => textOf([{ kind: 'scores', title: '', on: '', scores }], { width }).split('\n')[1]
  expect(shown(100)).toMatch(/^ {2}mean absolute error {2}/)
  expect(shown(160)).toMatch(/^ {2}mean absolute error \(less is better\) {2}/)
})

test('columns stand below one another, also behind wide characters', () => {
  const lines = textOf([
    {
      kind: 'matrix',
      title: '',
      names: ['はい', 'no'],
      counts: [
        [1, 2],
        [3, 4],
      ],
    } as never,
  ]).split('\n')
  const ends = lines.map((line) => cellsOf(line))
  expect(new Set(ends).size).toBe(1)
})

test('columns of numbers end at one place; a list that begins with a number does not', () => {
  const rows = [
    ['128-128 silu, dropout 0.2', '0.952', '0.931 to 0.965', '100 %'],
    ['8 relu, dropout 0', '12', '1 to 20', '–'],
  ]
  const shown = page({ title: 'a', heading: 'b' }, [{ kind: 'table', title: 'Nets', head: ['net', 'loss', 'interval', 'share'], rows }])
  expect(Array.from(shown.matchAll(/<th( class="number")?>/g), ([, is]) => is !== undefined)).toEqual([false, true, true, true])
})

test('advice of no line has no heading, at a terminal and in a page', () => {
  const blocks = (lines: string[]) => [
    { kind: 'facts' as const, title: 'Facts', facts: [['rows', '3']] as const },
    { kind: 'advice' as const, title: 'What to try next', lines },
  ]
  for (const show of [textOf, (given: ReturnType<typeof blocks>) => page({ title: 'a', heading: 'b' }, given)]) {
    expect(show(blocks(['more rows']))).toContain('What to try next')
    expect(show(blocks([]))).toContain('Facts')
    expect(show(blocks([]))).not.toContain('What to try next')
  }
})
