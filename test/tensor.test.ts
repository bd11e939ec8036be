/** Tensors made by a rule: ranges and the identity matrix; and the types of their elements. */
import { describe, expect, test } from 'vitest'
import { arange, createBackend, Dense, eye, matmul, Sequential, softmax, tensor } from '../ts/index.js'

describe.each([createBackend(), createBackend({ backend: 'js', dtype: 'float64' })])('$variant', (backend) => {
  test.each([
    [[4], [0, 1, 2, 3]],
    [[0], []],
    [[-2], []],
    [
      [2, 5],
      [2, 3, 4],
    ],
    [
      [1, 2, 0.25],
      [1, 1.25, 1.5, 1.75],
    ],
    [
      [3, 0, -1],
      [3, 2, 1],
    ],
    [
      [0, 1, 0.3],
      [0, 0.3, 0.6, 0.9],
    ],
  ])('arange(%j) is %j', ([start, stop, step], wanted) => {
    const { shape } = arange(start, stop, step, { backend })
    expect(shape).toEqual([wanted.length])
    const got = [...arange(start, stop, step, { backend }).data()]
    got.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 6))
  })

  test('eye leaves a matrix as it is', () => {
    const x = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { backend },
    )
    expect(matmul(x, eye(3, { backend })).toArray()).toEqual(x.toArray())
    expect(eye(0, { backend }).shape).toEqual([0, 0])
    expect(eye(2, 3, { backend }).toArray()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ])
    expect(eye(3, 1, { backend }).toArray()).toEqual([[1], [0], [0]])
    expect(eye(2, 0, { backend }).shape).toEqual([2, 0])
  })
})

test('what is no range, and no number of rows, is an error', () => {
  expect(() => arange(Number.NaN)).toThrow(/arange: wants finite numbers and a step that is not 0, got NaN/)
  expect(() => arange(0, 5, 0)).toThrow(/step that is not 0/)
  expect(() => eye(1.5)).toThrow(/eye/)
  expect(() => eye(2, -1)).toThrow(/eye/)
  expect(() => eye(2, null as never)).toThrow(/eye/)
  expect(() => eye(2, { dtype: 1 } as never)).toThrow(/eye: .*no option 'dtype'/)
})

test('numbers of toArray have types', () => {
  const net = new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, 3 as number)], { seed: 3 })
  const row = softmax(net.predict([[1, 2]])).toArray()[0]
  const first: number = softmax(new Dense(2, 3, { seed: 1 }).predict([[1, 2]])).toArray()[0][1]
  expect(first).toBeGreaterThan(0)
  expect(row).toHaveLength(3)
})
