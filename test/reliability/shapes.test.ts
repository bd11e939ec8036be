/** Shapes that no tensor can have are refused before anything is allocated, with a message of a line. */
import { describe, expect, test } from 'vitest'
import { Parameter, tensor, zeros } from '../../ts/index.js'

describe('fault 9', () => {
  const SHAPES: readonly (readonly [string, number[]])[] = [
    ['[65536, 65536]', [65536, 65536]],
    ['[2³¹, 4]', [2 ** 31, 4]],
    ['[-1]', [-1]],
    ['[1.5]', [1.5]],
    ['[NaN]', [Number.NaN]],
    ['[2⁵³]', [2 ** 53]],
    ['70 dimensions of 2', new Array(70).fill(2)],
    ['a million dimensions', new Array(1e6).fill(2)],
  ]
  const makers: readonly (readonly [string, (shape: number[]) => unknown])[] = [
    ['zeros', (shape) => zeros(shape)],
    ['tensor', (shape) => tensor(new Float32Array(4), shape)],
    ['Parameter', (shape) => Parameter.ofShape(shape, {})],
  ]
  for (const [maker, make] of makers) {
    test.each(SHAPES)(`${maker} refuses %s`, (_, shape) => {
      const before = process.memoryUsage().arrayBuffers
      let message = ''
      try {
        make(shape)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
        message = (error as Error).message
      }
      expect(message).not.toBe('')
      expect(message.length).toBeLessThan(300)
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
    })
  }
})
