/** Digits as text. */
import { describe, expect, test } from 'vitest'
import { drawDigits } from '../../../ts/cli/data-sets/digits.js'

describe('digits', () => {
  test('digits side by side, two pixels in a character', () => {
    const pixels = new Float32Array(784)
    for (let y = 4; y < 24; y++) pixels[28 * y + 14] = 1
    const lines = drawDigits(
      [0, 1, 2].map(() => ({ pixels, prediction: 1, probability: 0.9, truth: 7 })),
      45,
    )
    expect(lines).toHaveLength(2 * 13)
    expect(lines[0].match(/█/g)).toHaveLength(2)
    expect(lines[13].match(/█/g)).toHaveLength(1)
    expect(lines[11]).toContain('is 7  ✗ wrong')
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(45)
  })
})
