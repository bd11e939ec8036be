/** Cuts by numbers of rows: fractions, classes, groups and times. */
import { expect, test } from 'vitest'
import { cutEvenly, cutParts, firstOfTime } from '../../ts/rows/cut.js'
import { takeRows } from '../../ts/rows/take.js'

const order = Int32Array.from({ length: 12 }, (_, row) => (5 * row) % 12)

test('parts have their fractions, each row is in one, and rows keep their order', () => {
  const [rest, a, b] = cutParts(order, [0.25, 0.5])
  expect([rest.length, a.length, b.length]).toEqual([3, 3, 6])
  expect([...b, ...a, ...rest]).toEqual([...order])
})

test('the last part is the same whatever is cut before it', () => {
  expect(cutParts(order, [0.25, 0.25])[2]).toEqual(cutParts(order, [0.25])[1])
})

test('classes are in proportion, groups are whole, and of rows in time the latest are last', () => {
  const classOf = Array.from(order, (_, row) => (row < 4 ? 'a' : 'b'))
  const [, held] = cutParts(order, [0.25], { classOf })
  expect(Array.from(held, (row) => classOf[row]).sort()).toEqual(['a', 'b', 'b'])
  const groups = Array.from(order, (_, row) => row % 4)
  const [, whole] = cutParts(order, [0.25], { groups })
  expect(new Set(Array.from(whole, (row) => groups[row])).size).toBe(1)
  expect(whole).toHaveLength(3)
  const times = Array.from(order, (_, row) => Math.floor(row / 4))
  expect(cutParts(order, [0.25], { times })[1].slice().sort()).toEqual(Int32Array.of(8, 9, 10, 11))
  expect(firstOfTime(times, 6)).toBe(4)
})

test('the only row of a class is held out only if there is no other', () => {
  for (const singles of [1, 2, 5, 12, 40])
    for (let shift = 0; shift < 20; shift++) {
      const rows = Int32Array.from({ length: 60 + singles }, (_, i) => (i + 7 * shift) % (60 + singles))
      const classOf = Array.from(rows, (_, row) => (row < 40 ? 'a' : row < 60 ? 'b' : `c${row}`))
      const [rest, held] = cutParts(rows, [0.2], { classOf })
      expect(held).toHaveLength(Math.round(0.2 * rows.length))
      expect(new Set(Array.from(rest, (row) => classOf[row])).size).toBe(2 + singles)
    }
  expect(cutParts(order, [0.25], { classOf: order })[1]).toHaveLength(3)
})

test('an exact number of rows is held out evenly', () => {
  const [rest, held] = cutEvenly(
    Int32Array.from({ length: 10 }, (_, row) => row),
    3,
    null,
  )
  expect(held).toEqual(Int32Array.of(3, 6, 9))
  expect(rest).toHaveLength(7)
})

test('rows are taken in the order asked for', () => {
  expect(takeRows(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 0], 2)).toEqual(Float32Array.of(5, 6, 1, 2))
  expect(takeRows(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 0], 2, 1)).toEqual(Float32Array.of(5, 1))
})
