/** States of optimizers that take a closure: optimizers continue from them, and foreign states are refused. */
import { describe, expect, test } from 'vitest'
import { add, createBackend, mul, Parameter, square, sub, sum, type Tensor, tensor } from '../../../ts/index.js'
import { BFGS, ConjugateGradient, LBFGS, NewtonCG, TrustRegionNewton } from '../../../ts/solve/index.js'

const double = () => createBackend({ backend: 'js', dtype: 'float64' })

describe('state of closure optimizers', () => {
  for (const [name, make] of [
    ['LBFGS', (p: Parameter[]) => new LBFGS(p, { maxIterations: 3 })],
    ['LBFGS fixed', (p: Parameter[]) => new LBFGS(p, { maxIterations: 3, lineSearch: 'none', learningRate: 0.2 })],
    ['ConjugateGradient', (p: Parameter[]) => new ConjugateGradient(p, { maxIterations: 3 })],
    ['BFGS', (p: Parameter[]) => new BFGS(p, { maxIterations: 3 })],
    ['NewtonCG', (p: Parameter[]) => new NewtonCG(p, { maxIterations: 2 })],
    ['TrustRegionNewton', (p: Parameter[]) => new TrustRegionNewton(p, { maxIterations: 2 })],
  ] as const) {
    test(name, () => {
      const run = (restart: boolean) => {
        const w = new Parameter([-1.2, 1], { backend: double() })
        const closure = () => rosenbrockOf(w)
        let optimizer = make([w])
        for (let k = 0; k < 4; k++) {
          optimizer.step(closure)
          if (!restart || k !== 1) continue
          const state = JSON.parse(JSON.stringify(optimizer.state()))
          optimizer = make([w])
          optimizer.loadState(state)
        }
        return [...w.view()]
      }
      expect(run(true)).toEqual(run(false))
    })
  }

  test('the state of another optimizer is refused', () => {
    const w = new Parameter([1], { backend: double() })
    const state = new NewtonCG([w]).state()
    expect(() => new LBFGS([w]).loadState(state)).toThrow(/state of NewtonCG/)
    expect(() => new LBFGS([w]).loadState({} as never)).toThrow(/no state/)
  })

  test.each([
    ['other parameters', { sizes: [2, 1] }, 'LBFGS.loadState(): the state is of parameters with 2, 1 values, these have 2'],
    ['an option that is not allowed', { options: { learningRate: 0.5, historySize: -1 } }, 'LBFGS: historySize wants'],
    ['an option that there is not', { options: { learningRate: 0.5, history: 1 } }, "LBFGS: there is no option 'history'"],
  ])('one of %s, too, and nothing was changed', (_, wrong, message) => {
    const w = new Parameter([-1.2, 1], { backend: double() })
    const optimizer = new LBFGS([w], { maxIterations: 3 })
    optimizer.step(() => rosenbrockOf(w))
    const before = optimizer.state()
    expect(() => optimizer.loadState({ ...before, ...wrong } as typeof before)).toThrow(message)
    expect(optimizer.state()).toEqual(before)
  })
})

function rosenbrockOf(w: Parameter): Tensor {
  const [a, b] = [tensor([1, 0], { backend: w.backend }), tensor([0, 1], { backend: w.backend })]
  const x = sum(mul(w, a))
  const y = sum(mul(w, b))
  return add(square(sub(1, x)), mul(100, square(sub(y, square(x)))))
}

describe('a loss that no parameter has a part in', () => {
  const OPTIMIZERS = { BFGS, ConjugateGradient, LBFGS, NewtonCG, TrustRegionNewton }
  test.each(Object.entries(OPTIMIZERS))('%s refuses it, where a minimum would be found at once', (_, Optimizer) => {
    const [own, other] = [new Parameter([1, 2], { backend: double() }), new Parameter([1, 2], { backend: double() })]
    const optimizer = new Optimizer([own])
    expect(() => optimizer.step((() => sum(square(other)).item()) as never)).toThrow(
      /no parameter has a gradient: return the loss as a tensor, without item\(\)/,
    )
    expect(() => optimizer.step(() => sum(square(other)))).toThrow(/no parameter has a gradient: the loss depends on none of them/)
    own.requiresGrad = false
    expect(optimizer.step((() => 3) as never).reason).toBe('gradient')
  })
})
