/** Words of a column of sentences: which are counted, and the features of a row. */
import { expect, test } from 'vitest'
import { encoderFromState, fromTable } from '../../../ts/data/index.js'
import { WordCounts, wordWriter } from '../../../ts/data/table/words.js'

test('words and pairs of neighbors are counted once a text, and weighed by the texts that have them', () => {
  const counts = new WordCounts()
  for (const text of ['Good dog, good dog runs', 'a good dog', 'the dog']) counts.add(text)
  expect(counts.most(9)).toEqual({ words: ['dog', 'good', 'good dog'], weights: [1, 1 + Math.log(4 / 3), 1 + Math.log(4 / 3)] })
  expect(counts.most(1).words).toEqual(['dog'])
})

test('a row is as long as two, in the directions of its words', () => {
  const out = new Float32Array(5)
  wordWriter(['dog', 'good', 'dog good'], [1, 2, 3])('Dog good dog; cat', out, 1)
  const wanted = [1 + Math.log(2), 2, 3]
  const length = Math.hypot(...wanted)
  expect([out[0], out[4]]).toEqual([0, 0])
  wanted.forEach((value, i) => expect(out[1 + i]).toBeCloseTo((2 * value) / length, 6))
})

test('a state whose words and weights do not belong together is refused', () => {
  const rows = Array.from({ length: 6 }, (_, i) => ({ note: `good dog ${i % 2 ? 'runs' : 'sits'}`, y: i / 4 }))
  const state = fromTable(rows, { target: 'y', columns: { note: 'text' } }).state()
  const [{ words = [], weights = [] }] = state.columns
  const read = (own: object) => encoderFromState({ ...state, columns: [{ ...state.columns[0], ...own }] })
  expect(read({ words, weights }).features).toBe(words.length)
  const [, ...fewer] = weights
  const doubled = [words[1], ...words.slice(1)]
  for (const own of [
    { words: [] },
    { words: 'dog' },
    { words: doubled },
    { words: [7, ...words.slice(1)] },
    { weights: 'dog' },
    { weights: fewer },
  ])
    expect(() => read(own), JSON.stringify(own)).toThrow('encoderFromState: a column has a name, its categories or null')
  for (const weight of [0, -1, Number.NaN, 1e300])
    expect(() => read({ weights: [weight, ...fewer] }), `${weight}`).toThrow('and words with their weights')
})
