/** Labels that are probably wrong, by confident learning. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { doubtful } from '../../ts/select/confident.js'

test('a row is named where another class is as likely as it usually is for its own rows', () => {
  // class 0 has 0.9 on average for its rows, class 1 0.55
  const probabilities = [0.9, 0.1, 0.9, 0.1, 0.05, 0.95, 0.85, 0.15]
  expect(doubtful(probabilities, [0, 0, 1, 1], 2)).toEqual([])
  const sure = [0.9, 0.1, 0.8, 0.2, 0.1, 0.9, 0.95, 0.05, 0.2, 0.8]
  expect(doubtful(sure, [0, 0, 1, 1, 1], 2)).toEqual([{ index: 3, suggestion: 0, probability: 0.05, suggestedProbability: 0.95 }])
})

test('no row names its own class, a class of one row names none, and the surest come first', () => {
  const row = fc.tuple(fc.nat(3), fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }))
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
      const labels = rows.map(([label]) => label)
      const probabilities = rows.flatMap(([, p]) => p.map((one) => one / p.reduce((sum, x) => sum + x, 0)))
      const found = doubtful(probabilities, labels, 4)
      const count = (label: number) => labels.filter((other) => other === label).length
      for (const { index, suggestion, probability, suggestedProbability } of found) {
        expect(suggestion).not.toBe(labels[index])
        expect(Math.min(count(suggestion), count(labels[index]))).toBeGreaterThan(1)
        expect([probability, suggestedProbability]).toEqual([labels[index], suggestion].map((c) => probabilities[4 * index + c]))
      }
      const distances = found.map(({ probability, suggestedProbability }) => suggestedProbability - probability)
      expect(distances).toEqual([...distances].sort((a, b) => b - a))
    }),
    { seed: 1 },
  )
})
