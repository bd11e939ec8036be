/** Readers of option values. */
import { describe, expect, test } from 'vitest'
import { layerSizes } from '../../../ts/cli/options/net.js'
import { flag, oneOf, readerOf } from '../../../ts/cli/options/values.js'
import { countFrom0 } from '../../../ts/common/options.js'
import { THOUSANDS } from '../../../ts/data/formats/decimals.js'

describe('values', () => {
  test('readers of options', () => {
    expect(readerOf(countFrom0)('12')).toBe(12)
    for (const bad of ['', ' ', 'x', '1.5', '-1', 'Infinity', '1e400'])
      expect(() => readerOf(countFrom0)(bad)).toThrow('Wants a whole number ≥ 0.')
    expect(layerSizes('512,256')).toEqual([512, 256])
    expect(layerSizes('none')).toEqual([])
    for (const bad of ['', '0', '1,', '1.5']) expect(() => layerSizes(bad)).toThrow()
    expect(oneOf(['leakyRelu'])('leaky-relu')).toBe('leakyRelu')
    expect(() => oneOf(['leakyRelu', 'tanh'])('leky-relu')).toThrow('Did you mean leakyRelu?')
    expect(THOUSANDS.map(readerOf(THOUSANDS))).toEqual(THOUSANDS)
    for (const bad of ['', '-', '_', '  ', '..']) expect(() => readerOf(THOUSANDS)(bad)).toThrow('There are ')
  })

  test('an option of the library has the values and the default of its schema', () => {
    const { defaultValue, parseArg } = flag('--level <x>', 'how much', { is: { min: 0, max: 1, or: ['auto'] }, default: 'auto' })
    expect(defaultValue).toBe('auto')
    const read = (text: string) => parseArg?.(text, undefined)
    expect([read('0.5'), read('auto')]).toEqual([0.5, 'auto'])
    for (const bad of ['2', 'none', '']) expect(() => read(bad)).toThrow("Wants a number from 0 to 1 or 'auto'.")
  })
})
