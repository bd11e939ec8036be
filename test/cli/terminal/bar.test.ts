/** The bar fits every terminal. */
import { describe, expect, test } from 'vitest'
import { barLine } from '../../../ts/cli/terminal/bar.js'

describe('bar', () => {
  test('the bar fits every width, dropping facts from the end', () => {
    const facts = ['loss 0.1234', '  12 s left', '92.1 % right', '123,456 samples/s']
    for (let width = 20; width <= 140; width++) expect(barLine('epoch 1/5', 0.5, facts, width).length).toBeLessThanOrEqual(width)
    expect(barLine('epoch 1/5', 0.5, facts, 79)).toContain('samples/s')
    expect(barLine('epoch 1/5', 0.5, facts, 59)).toContain('right')
    expect(barLine('epoch 1/5', 1, facts, 79)).not.toContain('░')
  })

  test('the bar is as long before there are facts as with any', () => {
    const length = (facts: string[], width: number) => barLine('epoch 1/5', 0.5, facts, width).match(/[█░]/g)?.length
    const facts = ['loss 0.1234', '92.1 % right', '  12 s left']
    for (const [width, size] of [
      [60, 8],
      [79, 8],
      [99, 28],
      [140, 40],
    ])
      for (const speed of ['9 samples/s', '123,456 samples/s'])
        expect([length([], width), length([...facts, speed], width)]).toEqual([size, size])
  })
})
