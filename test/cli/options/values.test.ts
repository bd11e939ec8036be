/** Readers of option values. */
import { describe, expect, test } from 'vitest'
import { layerSizes, numberIn, oneOf } from '../../../ts/cli/options/values.js'

describe('values', () => {
  test('readers of options', () => {
    expect(numberIn({ min: 0, whole: true })('12')).toBe(12)
    for (const bad of ['', ' ', 'x', '1.5', '-1', 'Infinity', '1e400'])
      expect(() => numberIn({ min: 0, whole: true })(bad)).toThrow(/from 0/)
    expect(layerSizes('512,256')).toEqual([512, 256])
    expect(layerSizes('none')).toEqual([])
    for (const bad of ['', '0', '1,', '65537', Array(40).fill(1).join()]) expect(() => layerSizes(bad)).toThrow()
    expect(oneOf(['leakyRelu'])('leaky-relu')).toBe('leakyRelu')
    expect(() => oneOf(['leakyRelu', 'tanh'])('leky-relu')).toThrow('Did you mean leakyRelu?')
  })
})
