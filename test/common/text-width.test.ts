/** Text in cells of a terminal: East Asian characters and emoji take two, marks and styles none. */
import { expect, test } from 'vitest'
import { cellsOf, cut, padEnd, padStart, wrapped } from '../../ts/common/text-width.js'

test.each<[string, number]>([
  ['', 0],
  ['größe', 5],
  ['naïve – −3', 10],
  ['日本語', 6],
  ['はい', 4],
  ['한국어', 6],
  ['ｆｕｌｌ', 8],
  ['😀 ✓', 4],
  ['e\u0301a\u200d', 2],
  ['\u001b[36m█\u001b[39m\u001b[38;5;12mx\u001b[0m', 2],
])('%j takes %i cells', (text, cells) => {
  expect(cellsOf(text)).toBe(cells)
  expect(cellsOf(padEnd(text, 12))).toBe(12)
  expect(cellsOf(padStart(text, 12))).toBe(12)
})

test('what is cut or wrapped fits', () => {
  expect([cut('日本語の列', 6), cut('日本語の列', 7), cut('日本語', 6), cut('abcdef', 4)]).toEqual(['日本…', '日本語…', '日本語', 'abc…'])
  for (const cells of [2, 3, 5, 8]) expect(cellsOf(cut('日本語の列', cells))).toBeLessThanOrEqual(cells)
  expect(wrapped('東京 大阪 京都 x', 9)).toEqual(['東京 大阪', '京都 x'])
})
