/** Numbers and tables as people read them. */
import { describe, expect, test } from 'vitest'
import { duration, percent, rate, table, whole } from '../../../ts/cli/terminal/format.js'

describe('format', () => {
  test('numbers as people read them', () => {
    expect([0, 999, 1000, 1234567.6].map(whole)).toEqual(['0', '999', '1,000', '1,234,568'])
    expect([0.5123, 36.06, 48120.4].map(rate)).toEqual(['0.512', '36.1', '48,120'])
    expect(percent(0.98123)).toBe('98.12 %')
    expect([0.44, 9.94, 9.96, 59.6, 185, 7440, Number.POSITIVE_INFINITY].map(duration)).toEqual([
      '0.4 s',
      '9.9 s',
      '10 s',
      '60 s',
      '3 min 5 s',
      '2 h 4 min',
      '…',
    ])
    expect(
      table([
        ['a', 'b'],
        ['ccc', '10'],
      ]),
    ).toEqual(['a     b', 'ccc  10'])
  })
})
