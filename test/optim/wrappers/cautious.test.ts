/** Cautious: the elements of a step that it keeps, and what it refuses. The oracle has whole trajectories. */
import { describe, expect, test } from 'vitest'
import { createBackend } from '../../../ts/backend/index.js'
import { AdamW, GradientAccumulation, Momentum, SAM, SGD } from '../../../ts/index.js'
import { Cautious, ScheduleFreeAdamW } from '../../../ts/optim/index.js'
import { Parameter } from '../../../ts/parameter.js'

const backend = createBackend({ backend: 'js', dtype: 'float64' })
const parameter = (values: number[]) => new Parameter(Float64Array.from(values), { backend })
const give = (p: Parameter, gradient: number[]) => p.gradientView().set(gradient)

describe('Cautious', () => {
  test('drops the elements of a step that go uphill, and scales up the others', () => {
    const [p, plain] = [parameter([0, 0, 0, 0]), parameter([0, 0, 0, 0])]
    const [optimizer, inner] = [new Cautious(new Momentum([p], { learningRate: 1 })), new Momentum([plain], { learningRate: 1 })]
    for (const gradient of [
      [1, 1, 1, 1],
      [1, -0.01, 1, 0],
    ]) {
      give(p, gradient)
      give(plain, gradient)
      optimizer.step()
      inner.step()
    }
    // the first step is −0.1 everywhere; in the second, momentum goes against the second gradient, and the fourth gradient is 0
    const second = plain.view()[0] + 0.1
    expect([...p.view()]).toEqual([-0.1 + 2 * second, -0.1, -0.1 + 2 * second, -0.1].map((x) => expect.closeTo(x, 12)))
  })

  test('a step that agrees everywhere keeps its bits', () => {
    const [p, plain] = [parameter([1, -2]), parameter([1, -2])]
    for (const [optimizer, of] of [[new Cautious(new AdamW([p])), p] as const, [new AdamW([plain]), plain] as const]) {
      give(of, [0.3, -0.7])
      optimizer.step()
    }
    expect([...p.view()]).toEqual([...plain.view()])
  })

  test('if nothing agrees, only weight decay is left', () => {
    const p = parameter([1])
    const optimizer = new Cautious(new AdamW([p], { learningRate: 0.1, weightDecay: 0.5 }))
    give(p, [1])
    optimizer.step()
    const [before] = p.view()
    give(p, [-1e-9])
    optimizer.step()
    expect(p.view()[0]).toBe(before * (1 - 0.1 * 0.5))
  })

  test('climbs with maximize', () => {
    const p = parameter([0, 0])
    const optimizer = new Cautious(new SGD([p], { learningRate: 1, maximize: true }))
    give(p, [1, 2])
    optimizer.step()
    expect([...p.view()]).toEqual([1, 2])
  })

  test('a gradient that is NaN stays visible', () => {
    const p = parameter([0, 0])
    const optimizer = new Cautious(new AdamW([p]))
    give(p, [1, Number.NaN])
    optimizer.step()
    expect(p.view()[1]).toBeNaN()
  })

  test('leaves parameters alone that have no gradient in this step, decay included', () => {
    const [p, q] = [parameter([1]), parameter([1])]
    const optimizer = new Cautious(new AdamW([p, q], { weightDecay: 0.5, learningRate: 0.1 }))
    give(p, [1])
    give(q, [1])
    optimizer.step()
    const [before] = q.view()
    give(p, [1])
    optimizer.step()
    expect(q.view()[0]).toBe(before)
  })

  test('waits for accumulated batches, and masks the step at the end of an epoch', () => {
    const p = parameter([0])
    const optimizer = new Cautious(new GradientAccumulation(new SGD([p], { learningRate: 1, momentum: 0.9 }), { every: 2 }))
    give(p, [1])
    optimizer.step()
    expect(p.view()[0]).toBe(0)
    optimizer.flush()
    expect(p.view()[0]).toBe(-1)
    give(p, [-1e-9])
    optimizer.step()
    optimizer.flush()
    expect(p.view()[0]).toBe(-1)
  })

  test('refuses averages of weights, and gradients that are not those of the step', () => {
    const p = parameter([0])
    const averaging = new ScheduleFreeAdamW([p])
    const message = 'Cautious: ScheduleFreeAdamW averages weights, which a changed step would leave behind'
    expect(() => new Cautious(averaging)).toThrow(message)
    expect(() => new Cautious(new GradientAccumulation(averaging, { every: 2 }))).toThrow(message)
    expect(() => new Cautious(new SAM(new SGD([p])))).toThrow(
      'Cautious: SAM(SGD) steps with another gradient than it was given; put Cautious inside of it',
    )
    expect(new SAM(new Cautious(new SGD([p]))).name).toBe('SAM(Cautious(SGD))')
    expect(() => new Cautious(undefined as never)).toThrow('Cautious: wants an optimizer to wrap, got undefined')
  })
})
