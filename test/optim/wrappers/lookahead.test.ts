/** Lookahead: the steps that it counts, and its state. */
import { describe, expect, test } from 'vitest'
import { Adam, GradientAccumulation, Lookahead, SGD } from '../../../ts/index.js'
import { batch, pairs, scalar } from '../../tools/wrappers.js'

describe('Lookahead', () => {
  test('counts steps of the inner optimizer, of one that accumulates those that it takes', () => {
    const p = scalar(0)
    const inner = new GradientAccumulation(new SGD([p], { learningRate: 1 }), { every: 2 })
    const optimizer = new Lookahead(inner, { every: 2, alpha: 0.5 })
    const seen = Array.from({ length: 4 }, () => {
      batch(optimizer, p, -1)
      return p.view()[0]
    })
    expect(seen).toEqual([0, 1, 1, 1])
    batch(optimizer, p, -1)
    optimizer.flush()
    expect(p.view()[0]).toBe(2)
  })

  test('the slow weights come back through JSON', () => {
    const [p, q] = pairs(scalar)
    const [first, second] = [p, q].map((x) => new Lookahead(new SGD([x], { learningRate: 1 }), { every: 2 }))
    for (let k = 0; k < 2; k++) batch(first, p, -1)
    second.loadState(JSON.parse(JSON.stringify(first.state())))
    expect(second.averages()).toEqual([Float64Array.of(1)])
  })

  test('those of other parameters are refused, and nothing was changed', () => {
    const optimizer = new Lookahead(new Adam([scalar()]))
    const [before, wrong] = pairs(() => structuredClone(optimizer.state()))
    Object.assign(wrong.extra?.own as object, { slow: [[1, 2]] })
    wrong.groups[0].options.learningRate = 0.5
    expect(() => optimizer.loadState(wrong)).toThrow('Lookahead(Adam).loadState(): the state is of parameters with 2 values, these have 1')
    expect(optimizer.state()).toEqual(before)
  })
})
