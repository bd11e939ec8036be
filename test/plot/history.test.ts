/** The course of a training as a picture and in letters. */
import { describe, expect, test } from 'vitest'
import type { History } from '../../ts/index.js'
import { plotHistory } from '../../ts/plot/index.js'

const epochs = [1, 2, 3].map((epoch) => ({
  epoch,
  loss: 1 / epoch,
  metrics: { accuracy: epoch / 4 },
  validation: { loss: 2 / epoch, accuracy: epoch / 5 },
})) as unknown as History['epochs']

describe('plotHistory', () => {
  test('draws training and validation, the loss or a metric', () => {
    for (const value of ['loss', 'accuracy']) {
      const svg = plotHistory({ epochs }, { value, title: 'A run' })
      expect(svg.match(/<polyline/g)).toHaveLength(2)
      for (const text of ['training', 'validation', 'epoch', value, 'A run']) expect(svg).toContain(`>${text}<`)
    }
  })

  test('draws training alone where nothing was validated', () => {
    const alone = epochs.map(({ validation: _, ...rest }) => rest) as History['epochs']
    expect(plotHistory({ epochs: alone }).match(/<polyline/g)).toHaveLength(1)
  })

  test('ends in letters with what the last epoch had', () => {
    const text = plotHistory({ epochs }, { format: 'text', height: 5, title: 'A run' }).split('\n')
    expect(text).toHaveLength(7)
    expect(text[0]).toBe('A run')
    expect(text.at(-1)).toBe('3 epochs: training 0.3333 · validation 0.6667')
  })

  test('refuses what it does not know', () => {
    expect(() => plotHistory({ epochs }, { value: 'acuracy' })).toThrow(/plotHistory: value wants .*accuracy.*, got 'acuracy'/)
    expect(() => plotHistory({ epochs }, { format: 'png' as 'svg' })).toThrow(/plotHistory: format wants/)
    expect(() => plotHistory({} as { epochs: History['epochs'] })).toThrow(/wants a history, as fit gives it/)
    expect(() => plotHistory({ epochs }, { hight: 3 } as object)).toThrow(/no option 'hight'.*height/)
  })
})
