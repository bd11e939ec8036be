/** States of models and optimizers: through JSON, into another model, refused where they do not fit. */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  createBackend,
  Dense,
  Dropout,
  Lookahead,
  Module,
  mse,
  Sequential,
  type Tensor,
  tensor,
  WeightAverage,
} from '../../ts/index.js'
import { LBFGS } from '../../ts/solve/index.js'
import { netOfTwo, threeRows } from '../tools/small-nets.js'

const backend = createBackend({ backend: 'js' })
const net = () => new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 1, backend })

describe('states', () => {
  class Plain extends Module {
    a = new Dense(2, 3)
    b = new Dense(3, 1)
    forward(x: Tensor): Tensor {
      return this.b.forward(this.a.forward(x))
    }
  }
  class WithDropout extends Plain {
    drop = new Dropout(0.5)
    override forward(x: Tensor): Tensor {
      return this.b.forward(this.drop.forward(this.a.forward(x)))
    }
  }

  test('of a model with dropout load into one without, and the other way round', () => {
    const [plain, other] = [new Plain({ seed: 1, backend }), new WithDropout({ seed: 2, backend })]
    expect(other.state()).toHaveProperty(['drop.generator'])
    plain.loadState(other.state())
    expect(plain.predict([[1, 2]]).item()).toBe(other.predict([[1, 2]]).item())
    const third = new WithDropout({ seed: 3, backend }).loadState(JSON.parse(JSON.stringify(plain.state())))
    expect(third.predict([[1, 2]]).item()).toBe(other.predict([[1, 2]]).item())
  })

  test('of layers by number: the message says that dropout counts, and Dropout(0) keeps the place', () => {
    const make = (rate: number) => new Sequential([new Dense(2, 3), new Dropout(rate), new Dense(3, 1)], { seed: 1, backend })
    const { ...state } = make(0.5).state()
    expect(() => net().loadState(state)).toThrow(/no values for '1\.weight' in an object with .*1\.generator; Dropout counts as a layer$/)
    for (const optimizer of [new Lookahead(new Adam(net().parameters())), new LBFGS(net().parameters())])
      expect(() => net().loadState(optimizer.state() as never)).toThrow(
        new RegExp(`no values for '0\\.weight' in an object with .*; this is the state of an optimizer, ${optimizer.state().optimizer}$`),
      )
    expect(() => make(0.5).loadState(net().state())).toThrow(/no values for '2\.weight' in .*; Dropout counts as a layer$/)
    expect(
      make(0)
        .loadState(state)
        .predict([[1, 2]])
        .item(),
    ).toBe(
      make(0.5)
        .predict([[1, 2]])
        .item(),
    )
  })

  test('what is left over beside counters is refused', () => {
    expect(() => net().loadState({ ...net().state(), 'x.generator': [1], other: [1] })).toThrow("no parameter is named 'other'")
  })

  test('of an average survive JSON, and others are refused', () => {
    const one = net()
    const average = new WeightAverage(new Adam(one.parameters()))
    mse(one.forward(tensor([[1, 2]], { backend })), [[1]]).backward()
    average.step()
    const saved = JSON.parse(JSON.stringify(average.state()))
    const again = new WeightAverage(new Adam(new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 9, backend }).parameters()))
    again.loadState(saved)
    expect(again.averages()).toEqual(average.averages())
    expect(again.count).toBe(1)
    const small = new WeightAverage(new Adam(new Dense(1, 1, { backend }).parameters()))
    expect(() => small.loadState(saved)).toThrow('the state is of parameters with 6, 3, 3, 1 values, these have 1, 1')
    expect(small.count).toBe(0)
  })
})

describe('with plain arguments', () => {
  const make = netOfTwo
  const data = threeRows

  test('state survives JSON, bit by bit', () => {
    const [a, b] = [make(), make()]
    const [optA, optB] = [new Adam(a.parameters()), new Adam(b.parameters())]
    const step = (model: typeof a, optimizer: Adam) => {
      mse(model.forward(data.inputs), data.targets).backward()
      optimizer.step()
    }
    for (let i = 0; i < 5; i++) step(a, optA)
    b.loadState(JSON.parse(JSON.stringify(a.state())))
    optB.loadState(JSON.parse(JSON.stringify(optA.state())))
    for (let i = 0; i < 5; i++) {
      step(a, optA)
      step(b, optB)
    }
    expect(b.state()).toEqual(a.state())
  })
})
