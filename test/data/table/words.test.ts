/** Words of a column of sentences: which are counted, and the features of a row. */
import { expect, test } from 'vitest'
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
