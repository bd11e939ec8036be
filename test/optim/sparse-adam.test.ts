/** SparseAdam moves the rows that were looked up: PyTorch's semantics, on every backend. */
import { describe, expect, test } from 'vitest'
import { Adam, add, gather, matmul, mul, SGD, sum } from '../../ts/index.js'
import { SparseAdam } from '../../ts/optim/index.js'
import { Parameter } from '../../ts/parameter.js'
import { tensor } from '../../ts/tensor.js'
import { newBackends } from '../tools/small-nets.js'

const VALUES = Array.from({ length: 12 }, (_, i) => Math.sin(i + 1))

const BACKENDS = newBackends()

describe.each(BACKENDS.map((backend) => [backend.variant, backend] as const))('SparseAdam, %s', (_, backend) => {
  const make = () => new Parameter(VALUES, { shape: [6, 2], name: 'table', backend })
  const row = (p: Parameter, i: number) => Array.from(p.view().slice(2 * i, 2 * i + 2))
  const lookUp = (table: Parameter, rows: number[], weights: number[]) => {
    const found = gather(table, tensor(Int32Array.from(rows), { backend }))
    return sum(
      mul(
        found,
        tensor(
          weights.map((w) => [w, 2 * w]),
          { backend },
        ),
      ),
    )
  }

  test('a row with a gradient of 0 that was looked up goes on moving; others stay', () => {
    const table = make()
    const optimizer = new SparseAdam([table], { learningRate: 0.1 })
    lookUp(table, [1, 4], [1, 1]).backward()
    optimizer.step()
    const before = table.data()
    lookUp(table, [1, 2], [0, 1]).backward()
    optimizer.step()
    expect(row(table, 1)).not.toEqual(Array.from(before.slice(2, 4)))
    expect(row(table, 2)).not.toEqual(Array.from(before.slice(4, 6)))
    for (const i of [0, 3, 4, 5]) expect(row(table, i), `row ${i}`).toEqual(Array.from(before.slice(2 * i, 2 * i + 2)))
  })

  test('all rows looked up: the bits of dense Adam with the same ε', () => {
    const [a, b] = [make(), make()]
    const sparse = new SparseAdam([a], { learningRate: 0.1 })
    const dense = new Adam([b], { learningRate: 0.1, epsilonPlacement: 'hat' })
    for (let step = 1; step < 6; step++) {
      for (const p of [a, b]) lookUp(p, [5, 0, 3, 1, 2, 4, 3], [1, -1, step, 0, 0.5, 2, -step]).backward()
      sparse.step()
      dense.step()
    }
    expect(a.data()).toEqual(b.data())
  })

  test('duplicates and several look-ups of a step are one update, with the bits of gradients found by their zeros', () => {
    const [a, b] = [make(), make()]
    const [one, two] = [new SparseAdam([a]), new SparseAdam([b])]
    for (let step = 1; step < 6; step++) {
      add(lookUp(a, [4, 1, 4], [1, 2, 3]), lookUp(a, [2, 1], [step, 1])).backward()
      lookUp(a, [2], [1]).backward()
      b.gradientView().set(a.grad!.data())
      expect(b.touchedRows).toBe(null)
      expect(a.touchedRows).toHaveLength(3)
      one.step()
      two.step()
    }
    expect(a.data()).toEqual(b.data())
  })

  test('a gradient that is not from look-ups alone counts by its zeros, in either order', () => {
    for (const order of [0, 1]) {
      const table = make()
      const optimizer = new SparseAdam([table], { learningRate: 0.1 })
      const other = () => sum(matmul(tensor([[0, 0, 0, 0, 0, 1]], { backend }), table)).backward()
      if (order === 0) other()
      lookUp(table, [1, 2], [0, 1]).backward()
      if (order === 1) other()
      expect(table.touchedRows).toBe(null)
      const before = table.data()
      optimizer.step()
      const moved = [0, 1, 2, 3, 4, 5].filter((i) => row(table, i)[0] !== before[2 * i])
      expect(moved).toEqual([2, 5])
    }
  })

  test('the next step begins anew: rows of the last one do not count', () => {
    const table = make()
    const optimizer = new SGD([table], { learningRate: 0 })
    lookUp(table, [0, 5], [1, 1]).backward()
    optimizer.step()
    lookUp(table, [3], [1]).backward()
    expect(table.touchedRows!.map((rows) => Array.from(rows))).toEqual([[3]])
    expect(Array.from(table.grad!.data())).toEqual([0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0])
  })
})
