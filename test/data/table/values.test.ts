/** Numbers in text equal `Number(text)` to the bit, by each way of reading them. */
import { describe, expect, test } from 'vitest'
import { missingTest, numberIn, valueIn } from '../../../ts/data/table/values.js'
import { Generator } from '../../../ts/index.js'

const ODD = [
  ...['', '-', '.', '-.', '1.', '.5', '-.5', '-0', '0', '00012', '-0.0', '1e5', '1E-5', 'Infinity', '-Infinity', '+1', '  1 ', '1 ', '\t2'],
  ...['1_0', '0x10', '0b1', '1.2.3', 'NaN', 'north', 'I', '--1', '1-', '1,5', '٣', '\ufeff7', '\u00a08', '１', 'e5'],
  ...[
    '999999999999999',
    '9999999999999999',
    '123456789012345.6',
    '0.000000000000001',
    '0.1234567890123456',
    '-123456789012.345',
    '9007199254740993',
  ],
]

describe('numberIn', () => {
  test.each(ODD)('%j', (text) => {
    expect(numberIn(text)).toBe(Number(text))
  })

  test('decimals of any length', () => {
    const generator = new Generator(1)
    const wrong: string[] = []
    for (let round = 0; round < 500; round++) {
      const draws = generator.uniforms(300)
      for (let i = 0; i < draws.length; i += 3) {
        const size = 10 ** (24 * draws[i] - 10)
        const text = `${draws[i + 1] < 0.5 ? '-' : ''}${(size * draws[i + 1]).toFixed(Math.floor(20 * draws[i + 2]))}`
        if (!Object.is(numberIn(text), Number(text))) wrong.push(text)
      }
    }
    expect(wrong).toEqual([])
  })
})

test('gaps are seen by their first character, and none is missed', () => {
  const isMissing = missingTest(['NA', '-', '?', 'ñ', '9'])
  for (const gap of ['', ' ', '\t\n', '\u00a0', '\ufeff', 'NA', '-', '?', 'ñ', '9', 9, null, undefined, Number.NaN])
    expect(isMissing(gap)).toBe(true)
  for (const value of ['N', 'NAN', ' NA', '-1', '?!', 'ño', 'é', '99', '0', 0, false, '\u007f']) expect(isMissing(value)).toBe(false)
})

test('a value is the row’s own', () => {
  expect(valueIn({ constructor: 'x' }, 'constructor')).toBe('x')
  expect(valueIn({}, 'constructor')).toBeUndefined()
  expect(valueIn({}, 'toString')).toBeUndefined()
  expect(valueIn({ a: null }, 'a')).toBeNull()
  expect(valueIn({ a: 0 }, 'a')).toBe(0)
})
