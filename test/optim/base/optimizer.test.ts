/** Behavior of all optimizers: steps, absent gradients, groups and their options, states that do not fit, a user-defined optimizer. */
import { describe, expect, test, vi } from 'vitest'
import type { FloatArray } from '../../../ts/backend/heap.js'
import { createBackend } from '../../../ts/backend/index.js'
import { Adam, AdamW, NAdam, Optimizer, SGD, square, sum } from '../../../ts/index.js'
import { Parameter } from '../../../ts/parameter.js'
import { fill, make, run } from '../../tools/optim-parameters.js'
import { backends } from '../../tools/optim-runner.js'

const js = createBackend({ backend: 'js' })
const double = createBackend({ backend: 'js', dtype: 'float64' })

describe('steps', () => {
  test('without any gradient: an error that says what to do', () => {
    const optimizer = new Adam(make([[2]], js))
    expect(() => optimizer.step()).toThrow('Adam.step(): no parameter has a gradient; call backward()')
    expect(optimizer.stepCount).toBe(0)
  })

  test('a used gradient is none', () => {
    const p = make([[2]], js)
    const optimizer = new SGD(p)
    run(optimizer, p, 1)
    expect(p[0].gradientState).toBe('used')
    expect(p[0].grad).not.toBeNull()
    expect(() => optimizer.step()).toThrow('call backward()')
    optimizer.zeroGrad()
    expect(p[0].grad).toBeNull()
  })

  test('frozen parameters are skipped and join later with a bias correction of their own', () => {
    const [a, b] = make([[3], [3]], double)
    const alone = make([[3], [3]], double)[1]
    b.requiresGrad = false
    const optimizer = new Adam([a, b], { weightDecay: 0.5 })
    const frozen = [...b.view()]
    run(optimizer, [a, b], 3)
    expect([...b.view()]).toEqual(frozen)
    b.requiresGrad = true
    const reference = new Adam([alone], { weightDecay: 0.5 })
    for (let k = 0; k < 3; k++) {
      for (const p of [b, alone]) p.gradientView().fill(0.3 + k)
      a.gradientView().fill(0)
      optimizer.step()
      reference.step()
    }
    expect([...b.view()]).toEqual([...alone.view()])
    expect(optimizer.groups[0].stepCountOf(0)).toBe(6)
    expect(optimizer.groups[0].stepCountOf(1)).toBe(3)
  })

  test('parameters that another optimizer laid out anew are followed', () => {
    const [a, b] = [make([[3], [4], [5]], js), make([[3], [4], [5]], js)]
    const optimizer = new Adam(a)
    const reference = new Adam(b)
    run(optimizer, a, 2)
    new SGD([a[2], a[0]])
    run(optimizer, a, 2, 2)
    run(reference, b, 4)
    expect(a.map((p) => [...p.view()])).toEqual(b.map((p) => [...p.view()]))
  })

  test('a memory that grows between steps', () => {
    const backend = createBackend({ backend: 'js' })
    const [a, b] = [make([[3], [4]], backend), make([[3], [4]], js)]
    const [optimizer, reference] = [new Adam(a), new Adam(b)]
    run(optimizer, a, 2)
    backend.heap.allocate(32 << 20)
    run(optimizer, a, 2, 2)
    run(reference, b, 4)
    expect(a.map((p) => [...p.view()])).toEqual(b.map((p) => [...p.view()]))
  })

  test('with backpropagation', () => {
    const w = new Parameter([1, 2, 3], { name: 'w', backend: js })
    const optimizer = new Adam([w], { learningRate: 0.1 })
    for (let k = 0; k < 200; k++) {
      sum(square(w)).backward()
      optimizer.step()
    }
    expect(Math.hypot(...w.view())).toBeLessThan(0.05)
  })
})

describe('groups and options', () => {
  const two = () => {
    const [w, b] = make([[3], [3]], double)
    return {
      w,
      b,
      optimizer: new AdamW(
        [
          { parameters: [w], name: 'weights' },
          { parameters: [b], weightDecay: 0, learningRate: 0 },
        ],
        { learningRate: 0.1 },
      ),
    }
  }

  test('override the optimizer’s, change at any step; a group with learning rate 0 stays', () => {
    const { w, b, optimizer } = two()
    const before = [...b.view()]
    run(optimizer, [w, b], 2)
    expect([...b.view()]).toEqual(before)
    expect(optimizer.groups.map(({ name }) => name)).toEqual(['weights', ''])
    expect(optimizer.groups.map(({ options }) => options.weightDecay)).toEqual([0.01, 0])
    optimizer.learningRate = 0.5
    expect(optimizer.groups.map(({ options }) => options.learningRate)).toEqual([0.5, 0.5])
    optimizer.groups[1].options.beta1 = 0.5
    run(optimizer, [w, b], 1, 2)
    expect([...b.view()]).not.toEqual(before)
  })

  test.each([
    [{ learningRate: -1 }, 'Adam: learningRate wants a finite number ≥ 0, got -1'],
    [{ learningRate: NaN }, 'learningRate wants a finite number ≥ 0, got NaN'],
    [{ learningRate: '0.1' }, "learningRate wants a finite number ≥ 0, got '0.1'"],
    [{ beta1: 1 }, 'beta1 wants a number in [0, 1), got 1'],
    [{ epsilon: -1e-8 }, 'epsilon wants a finite number ≥ 0, got -1e-8'],
    [{ weightDecay: -0.1 }, 'weightDecay wants a finite number ≥ 0, got -0.1'],
    [{ epsilonPlacement: 'middle' }, "epsilonPlacement wants 'outside', 'inside' or 'hat', got 'middle'"],
    [{ amsgrad: 1 }, 'amsgrad wants true or false, got 1'],
    [{ clipNorm: 0 }, 'clipNorm wants a number above 0, got 0'],
    [{ lr: 0.1 }, "Adam: there is no option 'lr'; did you mean learningRate?"],
    [{ learningrate: 0.1 }, 'did you mean learningRate?'],
    [{ weight_decay: 0.1 }, 'did you mean weightDecay?'],
    [{ beta: 0.1 }, 'did you mean beta'],
    [{ frobnicate: 0.1 }, 'Options: amsgrad,'],
  ])('%o', (options, message) => {
    expect(() => new Adam(make([[1]], js), options as object)).toThrow(message)
  })

  test('are checked when they change, too, and stay as they were', () => {
    const optimizer = new Adam(make([[1]], js))
    expect(() => (optimizer.learningRate = -1)).toThrow('learningRate wants')
    expect(() => (optimizer.learningRate = undefined as never)).toThrow('learningRate wants a finite number ≥ 0, got undefined')
    expect(() => (optimizer.groups[0].options.amsgrad = true)).toThrow('amsgrad cannot change like that later on')
    expect(optimizer.groups[0].options.amsgrad).toBe(false)
    expect(optimizer.learningRate).toBe(1e-3)
  })

  test('what does not go together', () => {
    const p = make([[1]], js)
    expect(() => new SGD(p, { nesterov: true })).toThrow('nesterov wants momentum > 0')
    expect(() => new SGD(p, { nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow('dampening 0')
    expect(() => new AdamW(p, { decoupledWeightDecay: false } as object)).toThrow('AdamW: decoupledWeightDecay wants true, got false')
  })

  test('parameters that cannot be', () => {
    const [a, b] = make([[1], [1]], js)
    const [other] = make([[1]], double)
    expect(() => new Adam([])).toThrow('Adam: there are no parameters')
    expect(() => new Adam([a, a])).toThrow("parameter 'p0' is twice in one group")
    expect(() => new Adam([{ parameters: [a, b] }, { parameters: [b] }])).toThrow("parameter 'p1' is in two groups")
    expect(() => new Adam([a, other])).toThrow("parameter 'p0' lives on another backend")
    expect(() => new Adam([a, { parameters: [b] }])).toThrow('not both')
    expect(() => new Adam([5 as unknown as Parameter])).toThrow('wants parameters')
    expect(() => new Adam([{ value: new Float32Array(2), gradient: new Float32Array(3), name: 'w' }])).toThrow(
      "'w': value has 2 elements, gradient has 3",
    )
    expect(() => new Adam([{ parameters: [] }])).toThrow('group 0 has no parameters')
    expect(() => new Adam([{ parameters: [a], learningRat: 1 } as object as { parameters: Parameter[] }])).toThrow(
      'did you mean learningRate?',
    )
  })

  test('a state of something else', () => {
    const [a, b] = [make([[2]], js), make([[3]], js)]
    expect(() => new Adam(a).loadState(new SGD(b).state())).toThrow('this is the state of SGD')
    expect(() => new Adam(a).loadState(new Adam(b).state())).toThrow('the state is of parameters with 3 values, these have 2')
    expect(() => new Adam(a).loadState({} as never)).toThrow('no state of an optimizer')
    expect(() => new SGD(a).loadState(new SGD(b).state())).toThrow(
      'SGD.loadState(): the state is of parameters with 3 values, these have 2',
    )
    const damaged = structuredClone(new Adam(a).state())
    damaged.groups[0].parameters[0].slots.m = Float32Array.of(1)
    expect(() => new Adam(a).loadState(damaged)).toThrow("'p0' wants 2 values of slot 'm', the state has 1")
  })

  test('a state whose options go together is taken, though they do not go with those that are there', () => {
    const saved = { momentum: 0.9, dampening: 0.5, learningRate: 0.3 }
    const optimizer = new SGD(make([[2]], js), { momentum: 0.9, nesterov: true })
    optimizer.loadState(new SGD(make([[2]], js), saved).state())
    expect(optimizer.groups[0].options).toMatchObject({ ...saved, nesterov: false })
  })

  test.each([
    [
      'options that want other slots',
      Adam,
      { amsgrad: true },
      'the state has other options and so other slots, m, v, vMax, the optimizer m, v',
    ],
    ['slots where there were none', SGD, { momentum: 0.9 }, 'other slots, momentum, the optimizer none'],
    ['an option that is not allowed', Adam, { beta1: 2 }, 'Adam: beta1 wants a number in [0, 1), got 2'],
    ['options that do not go together', SGD, { nesterov: true }, 'SGD: nesterov wants momentum > 0'],
    ['an option that there is not', Adam, { beta9: 0.1 }, "Adam: there is no option 'beta9'"],
  ] as [string, typeof Adam, object, string][])('a state with %s is refused, and nothing was changed', (_, Class, wrong, message) => {
    const two = (learningRate: number) => {
      const [a, b] = make([[2], [3]], js)
      return new Class([{ parameters: [a] }, { parameters: [b] }], { learningRate })
    }
    const state = structuredClone(two(0.5).state())
    Object.assign(state.groups[1].options, wrong)
    const optimizer = two(0.25)
    run(
      optimizer,
      optimizer.groups.flatMap(({ parameters }) => [...parameters]),
      2,
    )
    const before = structuredClone(optimizer.state())
    expect(() => optimizer.loadState(state)).toThrow(message)
    expect(optimizer.state()).toEqual(before)
  })

  test('JSON writes null for an option that is infinite', () => {
    const optimizer = new NAdam(make([[2]], js), { momentumDecay: Infinity })
    optimizer.loadState(JSON.parse(JSON.stringify(optimizer.state())))
    expect(optimizer.groups[0].options.momentumDecay).toBe(Infinity)
  })
})

describe('an optimizer of one’s own', () => {
  class Hyperbolic extends Optimizer<{ learningRate?: number; weightDecay?: number }> {
    static override readonly defaults = { learningRate: 0.1, weightDecay: 0 }
    protected override slots() {
      return ['mean']
    }
    protected override hyper({ learningRate }: { learningRate: number }, t: number) {
      return [learningRate, 1 / t]
    }
    protected override update(p: FloatArray, g: FloatArray, [mean]: FloatArray[], [learningRate, take]: readonly number[]) {
      for (let i = 0; i < p.length; i++) {
        mean[i] += take * (g[i] - mean[i])
        p[i] -= learningRate * Math.tanh(mean[i])
      }
    }
  }
  class Reversed extends Adam {
    protected override update(p: FloatArray, g: FloatArray): void {
      for (let i = 0; i < p.length; i++) p[i] += g[i]
    }
  }

  test.each(backends)('runs on $name, with groups, decay and state', ({ make: makeBackend }) => {
    const p = make([[4], [3, 3]], makeBackend())
    const optimizer = new Hyperbolic([{ parameters: [p[0]] }, { parameters: [p[1]], weightDecay: 0.1 }], { clipNorm: 1 })
    run(optimizer, p, 10)
    expect(Object.keys(optimizer.state().groups[0].parameters[0].slots)).toEqual(['mean'])
    expect(optimizer.state().groups[1].options.weightDecay).toBe(0.1)
  })

  test.each(backends)('a subclass with another rule does not run the kernel of its parent on $name', ({ make: makeBackend }) => {
    const [p] = make([[4]], makeBackend())
    p.view().fill(1)
    const optimizer = new Reversed([p])
    p.gradientView().fill(2)
    optimizer.step()
    expect([...p.view()]).toEqual([3, 3, 3, 3])
  })
})

test('a step that is not finite can be skipped: counted, one warning, nothing changed', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const p = make([[3], [3]], js)
  const optimizer = new Adam(p, { skipNonFinite: true })
  run(optimizer, p, 1)
  const [before, state] = [p.map((q) => [...q.view()]), JSON.stringify(optimizer.state().groups)]
  for (const bad of [NaN, Infinity]) {
    fill(p, 1)
    p[1].gradientView()[2] = bad
    optimizer.step()
  }
  expect(p.map((q) => [...q.view()])).toEqual(before)
  expect(JSON.stringify(optimizer.state().groups)).toBe(state)
  expect(optimizer.skippedSteps).toBe(2)
  expect(optimizer.stepCount).toBe(1)
  expect(warn).toHaveBeenCalledTimes(1)
  expect(warn.mock.calls[0][0]).toContain('the gradient of p1 is not finite')
  warn.mockRestore()
})
