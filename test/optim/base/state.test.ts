/** Options of an optimizer after loadState come from the state; later changes of options also count. */
import { describe, expect, test } from 'vitest'
import { Adam, Dense, GradientAccumulation, Lookahead, type Optimizer, Sequential, SGD, WeightAverage } from '../../../ts/index.js'
import { addNoise, DoG, NAdam, type OptimizerLike } from '../../../ts/optim/index.js'

test('the learning rate of a state takes the place of that of the constructor, and can be set afterwards', () => {
  const model = new Sequential([new Dense(2, 1)], { seed: 1 })
  const state = new Adam(model.parameters(), { learningRate: 0.1 }).state()
  const optimizer = new Adam(model.parameters(), { learningRate: 0.001 })
  optimizer.loadState(state)
  expect(optimizer.learningRate).toBe(0.1)
  optimizer.learningRate = 0.01
  expect(optimizer.learningRate).toBe(0.01)
  expect(optimizer.state().groups[0].options).toMatchObject({ learningRate: 0.01 })
})

describe('a number of a state that cannot be one is refused by its name, and nothing changes:', () => {
  const parameters = () => new Sequential([new Dense(2, 1)], { seed: 1 }).parameters()
  const stepped = <O extends OptimizerLike>(make: (p: ReturnType<typeof parameters>) => O): O => {
    const all = parameters()
    const optimizer = make(all)
    for (let k = 0; k < 3; k++) {
      for (const p of all) p.gradientView().fill(k + 1)
      ;(optimizer as unknown as Optimizer).step()
    }
    return optimizer
  }
  const sgd = (p: ReturnType<typeof parameters>) => new SGD(p)
  const nadam = () => stepped((p) => new NAdam(p))
  const dog = () => stepped((p) => new DoG(p))
  const noisy = () => stepped((p) => new SGD(p, { gradientTransforms: [addNoise()] }))
  const average = () => stepped((p) => new WeightAverage(sgd(p)))
  const accumulated = () => stepped((p) => new GradientAccumulation(sgd(p), { every: 2 }))
  const ahead = () => stepped((p) => new Lookahead(sgd(p), { every: 2 }))
  // biome-ignore lint/suspicious/noExplicitAny: a place in any state
  type Place = (state: any) => [object: any, key: string]
  const places: [string, () => OptimizerLike, Place, RegExp][] = [
    ['steps', nadam, (state) => [state, 'stepCount'], /stepCount/],
    ['steps of a parameter', nadam, (state) => [state.groups[0].parameters[1], 'stepCount'], /bias.*stepCount/],
    ['a scalar of a parameter', nadam, (state) => [state.groups[0].parameters[1].scalars, 'product'], /bias.*scalars/],
    ['a number of all parameters', dog, (state) => [state.globals, 'squares'], /globals/],
    ['a number of a transform', noisy, (state) => [state.transforms, '0.t'], /transforms/],
    ['updates of an average', average, (state) => [state.extra.own, 'count'], /count/],
    ['steps of an average', average, (state) => [state.extra.own, 'taken'], /taken/],
    ['batches that wait', accumulated, (state) => [state.extra.own, 'pending'], /pending/],
    ['steps of Lookahead', ahead, (state) => [state.extra.own, 'taken'], /taken/],
  ]

  test.each(places)('%s', (what, make, place, message) => {
    const optimizer = make()
    const isCount = !/scalar|all parameters|transform/.test(what)
    const before = JSON.stringify(optimizer.state())
    for (const wrong of ['3', {}, ...(isCount ? [-1, 0.5] : [])]) {
      const state = structuredClone(optimizer.state())
      const [object, key] = place(state)
      expect(object[key], key).toBeTypeOf('number')
      object[key] = wrong
      expect(() => optimizer.loadState(state), `${wrong}`).toThrow(message)
      expect(JSON.stringify(optimizer.state())).toBe(before)
    }
    optimizer.loadState(structuredClone(optimizer.state()))
    expect(JSON.stringify(optimizer.state())).toBe(before)
  })

  test('0 is a number of steps, of updates and of batches', () => {
    const wrappers = [
      (p: SGD) => new WeightAverage(p),
      (p: SGD) => new GradientAccumulation(p, { every: 2 }),
      (p: SGD) => new Lookahead(p, { every: 2 }),
    ]
    for (const make of wrappers) {
      const optimizer = make(sgd(parameters()))
      const state = structuredClone(optimizer.state())
      optimizer.loadState(state)
      expect(optimizer.state()).toEqual(state)
    }
  })

  test('a state without a count of skipped steps has none, and one of other transforms leaves these as they are', () => {
    const optimizer = noisy()
    const state = structuredClone(optimizer.state())
    state.transforms = {}
    optimizer.loadState(state)
    expect(optimizer.state().transforms).toEqual({ skippedSteps: 0, '0.t': 3 })
    optimizer.loadState({ ...state, transforms: { skippedSteps: 4, '0.t': 9 } })
    expect(optimizer.state().transforms).toEqual({ skippedSteps: 4, '0.t': 9 })
  })
})
