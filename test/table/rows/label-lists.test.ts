/** A target of lists of labels: the report and errors say how to predict each label. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inFlags } from '../../../ts/cli/table/files.js'
import { trainTable } from '../../../ts/table/index.js'
import { labelsIn } from '../../../ts/table/rows/label-lists.js'
import { cases } from '../../tools/nightly.js'

const words = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}( [a-z]{1,3})?$/), { minLength: 4, maxLength: 9 })

test('labels are found in all sublists, in any way of writing', () => {
  fc.assert(
    fc.property(words, fc.constantFrom(';', '|', ',', '; ', ', '), fc.boolean(), (labels, separator, isJson) => {
      // all lists of one to three labels
      const lists = labels.flatMap((a, i) => [
        [a],
        ...labels.slice(i + 1).flatMap((b, j) => [[a, b], ...labels.slice(i + j + 2).map((c) => [a, b, c])]),
      ])
      expect(labelsIn(lists.map((list) => (isJson ? JSON.stringify(list) : list.join(separator))))).toEqual([...labels].sort())
    }),
    { numRuns: cases(300) },
  )
})

test('other classes are no lists', () => {
  for (const names of [
    ['red', 'green'],
    ['Smith, John', 'Jones, Mary', 'Miller, Ann'],
    ['Paris, France', 'Lyon, France', 'Rome, Italy', 'Milan, Italy'],
    ['1,5', '2,5', '3,0'],
    ['0;0', '0;1', '1;1', '1;0'],
    ['a;', 'b;a', 'b'],
    [],
  ])
    expect(labelsIn(names)).toBeUndefined()
})

test('the report says how to predict each label', async () => {
  const rows = Array.from({ length: 120 }, (_, i) => {
    const [x, z] = [(i * 0.618) % 1, (i * 0.414) % 1]
    return { x, z, tags: ['red', ...(x > 0.5 ? ['round'] : []), ...(z > 0.5 ? ['big'] : [])].slice(z > 0.8 ? 1 : 0).join(';') || 'red' }
  })
  const { report } = await trainTable(rows, { target: 'tags', epochs: 1 })
  const [first] = report.advice
  expect(first).toBe(
    "Column 'tags' has lists of labels, such as 'red;big': each list is a class of its own, and a row without labels is left out. " +
      "For an answer to each label, give it a column of true and false, and predict them all: `target: ['big', 'red', 'round']`.",
  )
  expect(inFlags(first)).toContain('predict them all: --target big,red,round.')
  // nearly as many lists as rows
  const labels = ['a', 'b', 'c', 'd', 'e', 'f']
  const many = Array.from({ length: 60 }, (_, i) => ({ x: i, tags: labels.filter((_, bit) => ((i + 1) >> bit) % 2 > 0).join('|') }))
  await expect(trainTable(many, { target: 'tags' })).rejects.toThrow(
    "column 'tags' has 48 different values in 48 rows, as lists of labels have; a class wants rows to learn it from. Give each label a column of true and " +
      "false, and predict them all: target: ['a', …].",
  )
})
