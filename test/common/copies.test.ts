/** Two copies of gradus in one process, as a second version, or CommonJS and ESM together, produce: errors say so. */
import { describe, expect, test, vi } from 'vitest'
import * as A from '../../ts/entries/js.js'

vi.resetModules()
const B: typeof A = await import('../../ts/entries/js.js')

const data = { inputs: [[1]], targets: [[1]] }
const attempts: Record<string, () => unknown> = {
  'an operation': () => A.add(A.tensor([1]), B.tensor([1])),
  'the other operand': () => A.matmul(B.tensor([[1]]), A.tensor([[1]])),
  'tensor()': () => A.tensor(B.tensor([1]) as never),
  'a new parameter': () => new A.Parameter(B.tensor([1])),
  'the prediction of a loss': () => A.mse(B.tensor([1]), A.tensor([1])),
  'the target of a loss': () => A.mse(A.tensor([1]), B.tensor([1])),
  'a metric': () => A.f1Score(B.tensor([1]), [1]),
  forward: () => new A.Dense(1, 1).forward(B.tensor([[1]])),
  predict: () => new A.Dense(1, 1).predict(B.tensor([[1]])),
  'a layer of Sequential': () => new A.Sequential([new B.Dense(1, 1)]),
  'a layer as a property': () => {
    class Own extends A.Module {
      layer = new B.Dense(1, 1)
      forward(x: A.Tensor) {
        return this.layer.forward(x)
      }
    }
    return new Own().predict([[1]])
  },
  'parameters of an optimizer': () => new A.Adam(new B.Dense(1, 1).parameters()),
  'parameters of a solver': () => new A.LBFGS(new B.Dense(1, 1).parameters()),
  'the model of evaluateModel': () => A.evaluateModel(new B.Dense(1, 1), { ...data, loss: A.mse }),
  'the model of fit': () => {
    const model = new B.Dense(1, 1)
    return A.fit(model, { ...data, loss: B.mse, optimizer: new B.Adam(model.parameters()) })
  },
  'the loss of fit': () => {
    const model = new A.Dense(1, 1)
    return A.fit(model, { ...data, loss: B.mse, optimizer: new A.Adam(model.parameters()) })
  },
}

describe('what is of another copy', () => {
  test('there are two', () => {
    expect(B.Tensor).not.toBe(A.Tensor)
    expect(B.add(B.tensor([1]), B.tensor([2])).toArray()).toEqual([3])
  })

  test.each(Object.entries(attempts))('%s', async (_, attempt) => {
    const error = (await (async () => attempt())().catch((e) => e)) as Error
    expect(error).toBeInstanceOf(Error)
    expect(error.message).toMatch(/an? \w+ of another copy of gradus: two versions, or ESM beside CommonJS$|or load one copy of gradus$/)
  })

  test('plain data that passes between them is no trouble', () => {
    const model = new A.Dense(2, 1, { seed: 1 })
    const other = new B.Dense(2, 1, { seed: 2 }).loadState(B.decodeState(A.encodeState({ model })).model)
    expect(other.state()).toEqual(model.state())
  })

  test('what is of this copy, and in the wrong place, is not', () => {
    expect(() => new A.Adam(new A.Dense(1, 1) as never)).toThrow(/got a Dense$/)
    expect(() => A.add(A.tensor([1]), new A.Dense(1, 1) as never)).toThrow(/got a Dense$/)
    expect(() => A.tensor({} as never)).toThrow(/got an object with nothing$/)
  })
})
