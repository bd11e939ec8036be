/** Curvature optimizers on nets, compared with the oracles and with automatic differentiation, on every backend, and with bad input. */
import { describe, expect, test } from 'vitest'
import { iris, moons, spirals, standardize, trainTestSplit } from '../../../ts/data/index.js'
import {
  add,
  type Backend,
  createBackend,
  crossEntropy,
  Dense,
  type FitOptions,
  fit,
  Generator,
  type Module,
  mse,
  mul,
  Parameter,
  Sequential,
  SGD,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from '../../../ts/index.js'
import {
  BFGS,
  ConjugateGradient,
  KFAC,
  LBFGS,
  LevenbergMarquardt,
  NaturalGradient,
  NewtonCG,
  TrustRegionNewton,
} from '../../../ts/solve/index.js'
import { distance, oracle, oracleCases } from '../../tools/optim-problems.js'
import { backends } from '../../tools/optim-runner.js'
import { flat, oracleNet } from '../../tools/oracle-net.js'

const { mlp } = oracle.problems
const double = () => createBackend({ backend: 'js', dtype: 'float64' })

const oneHot = mlp.y.flatMap((c: number) => [0, 1, 2].map((k) => (k === c ? 1 : 0)))

describe('step by step beside the oracles', () => {
  test('LevenbergMarquardt, on data and on a closure', () => {
    const trajectory = oracleCases.get('lm_nielsen')!.results.mlp_mse
    for (const how of ['data', 'closure']) {
      for (const [k, { p }] of Object.entries(trajectory.steps)) {
        const backend = double()
        const model = oracleNet(backend)
        const optimizer = new LevenbergMarquardt(model, { maxIterations: Number(k), stepTolerance: 0, gradientTolerance: 0 })
        const [x, y] = [tensor(mlp.X, { backend }), tensor(Float64Array.from(oneHot), [12, 3], { backend })]
        if (how === 'data') optimizer.step(x, y)
        else optimizer.step(() => sub(model.forward(x), y))
        expect(distance(flat(model), p)).toBeLessThanOrEqual(trajectory.tol64[k] as number)
      }
    }
  })

  test('the damping goes on from step() to step()', () => {
    const { steps, tol64 } = oracleCases.get('lm_nielsen')!.results.mlp_mse
    const backend = double()
    const model = oracleNet(backend)
    let optimizer = new LevenbergMarquardt(model, { maxIterations: 1 })
    for (let k = 1; k <= 10; k++) {
      optimizer.step(tensor(mlp.X, { backend }), tensor(Float64Array.from(oneHot), [12, 3], { backend }))
      const state = optimizer.state()
      optimizer = new LevenbergMarquardt(model)
      optimizer.loadState(state)
    }
    expect(distance(flat(model), steps[10].p)).toBeLessThanOrEqual(tol64[10] as number)
  })

  test('NaturalGradient', () => {
    const { lr, steps, tol64 } = oracleCases.get('natural_gradient_ggn')!.results.mlp
    const model = oracleNet(double())
    const optimizer = new NaturalGradient(model, { learningRate: lr, damping: 1e-2 })
    for (let k = 1; k <= 100; k++) {
      optimizer.step(mlp.X, mlp.y)
      if (steps[k]) expect(distance(flat(model), steps[k].p)).toBeLessThanOrEqual(tol64[k] as number)
    }
  })
})

function curve(backend: Backend, n = 60): { x: Tensor; y: Tensor } {
  const x = Float32Array.from({ length: n }, (_, i) => -1 + (2 * i) / (n - 1))
  return {
    x: tensor(
      Array.from(x, (v) => [v]),
      { backend },
    ),
    y: tensor(
      Array.from(x, (v) => [Math.sin(3 * v)]),
      { backend },
    ),
  }
}

const smallNet = (backend: Backend, seed = 1) =>
  new Sequential([new Dense(1, 8, { activation: 'tanh' }), new Dense(8, 1)], { seed, backend })

describe('training a small net, on every backend', () => {
  for (const { name, make, double: isDouble } of backends) {
    const lossOf = (model: Sequential, { x, y }: { x: Tensor; y: Tensor }) => mse(model.predict(x), y).item()

    test(`LevenbergMarquardt, ${name}`, () => {
      const backend = make()
      const model = smallNet(backend)
      const data = curve(backend)
      const optimizer = new LevenbergMarquardt(model, { maxIterations: 200, target: 1e-5 })
      const result = optimizer.step(data.x, data.y)
      expect(result).toMatchObject({ reason: 'value', converged: true })
      expect(result.loss).toBeLessThanOrEqual(1e-5)
      expect(lossOf(model, data)).toBeLessThan(1.1e-5)
      expect(result.accepted).toBeLessThanOrEqual(result.iterations)
      // In single precision, too, it continues from the unrounded parameters.
      expect(optimizer.step(data.x, data.y).initialLoss).toBe(result.loss)
      model.parameters()[0].view()[0] += 0.5
      expect(optimizer.step(data.x, data.y).initialLoss).toBeGreaterThan(result.loss)
    })

    test(`gauss-newton, marquardt, closures and data in chunks, ${name}`, () => {
      const backend = make()
      const data = curve(backend, 3000)
      for (const options of [{ method: 'gauss-newton' }, { scaling: 'marquardt' }] as const) {
        const model = smallNet(backend, 2)
        const { loss, initialLoss } = new LevenbergMarquardt(model, { maxIterations: 30, ...options }).step(data.x, data.y)
        expect(loss).toBeLessThan(5e-2 * initialLoss)
      }
      const small = curve(backend, 30)
      const model = smallNet(backend)
      const byClosure = new LevenbergMarquardt(model.parameters(), { maxIterations: 40 }).step(() => sub(model.forward(small.x), small.y))
      expect(byClosure.loss).toBeLessThan(1e-4)
    })

    for (const [kind, make2] of [
      ['LBFGS', (m: Module) => new LBFGS(m.parameters(), { maxIterations: 200 })],
      ['ConjugateGradient', (m: Module) => new ConjugateGradient(m.parameters(), { maxIterations: 200 })],
      ['BFGS', (m: Module) => new BFGS(m.parameters(), { maxIterations: 200 })],
      ['NewtonCG', (m: Module) => new NewtonCG(m.parameters(), { maxIterations: 30 })],
      ['TrustRegionNewton', (m: Module) => new TrustRegionNewton(m.parameters(), { maxIterations: 40 })],
    ] as const) {
      test(`${kind}, ${name}`, () => {
        const backend = make()
        const model = smallNet(backend)
        const data = curve(backend)
        const optimizer = make2(model)
        const result = optimizer.step(() => mse(model.forward(data.x), data.y))
        expect(result.loss).toBeLessThan(isDouble ? 5e-3 : 2e-2)
        expect(lossOf(model, data)).toBeCloseTo(result.loss, isDouble ? 12 : 5)
        expect(result.evaluations).toBeGreaterThanOrEqual(result.iterations)
        expect(result.message).not.toBe('')
      })
    }

    test(`NewtonCG and TrustRegionNewton with Gauss-Newton products, ${name}`, () => {
      const backend = make()
      const { x, y } = curve(backend)
      for (const build of [
        (m: Module) => new NewtonCG(m.parameters(), { maxIterations: 30, damping: 1e-6 }),
        (m: Module) => new TrustRegionNewton(m.parameters(), { maxIterations: 30 }),
      ]) {
        const model = smallNet(backend)
        const result = build(model).step(
          () => model.forward(x),
          (output) => mse(output, y),
        )
        expect(result.loss).toBeLessThan(1e-3)
      }
    })

    test(`NaturalGradient and KFAC on classes, ${name}`, () => {
      const backend = make()
      for (const [Kind, steps] of [
        [NaturalGradient, 60],
        [KFAC, 100],
      ] as const) {
        const model = oracleNet(backend)
        const optimizer = new Kind(model, { learningRate: 0.3, damping: 1e-2 })
        let loss = 0
        for (let k = 0; k < steps; k++) loss = optimizer.step(mlp.X, mlp.y).loss
        expect(loss).toBeLessThan(0.02)
        expect(loss).toBeCloseTo(crossEntropy(model.predict(tensor(mlp.X, { backend })), mlp.y).item(), 2)
      }
    })
  }

  test('NaturalGradient and KFAC on numbers', () => {
    const backend = double()
    const { x, y } = curve(backend)
    for (const Kind of [NaturalGradient, KFAC]) {
      const model = smallNet(backend)
      const optimizer = new Kind(model, { learningRate: 0.3, damping: 1e-4, loss: 'mse' })
      const first = optimizer.step(x, y).loss
      expect(first).toBeGreaterThan(0)
      let loss = first
      for (let k = 0; k < 300; k++) loss = optimizer.step(x, y).loss
      expect(loss).toBeLessThan(2e-3)
    }
  })
})

test.each([
  [iris(), 'tanh'],
  [iris(), 'relu'],
  [moons({ seed: 1 }), 'tanh'],
  [spirals({ seed: 2 }), 'relu'],
] as const)('NaturalGradient and KFAC learn with their defaults: %#', (data, activation) => {
  const { train } = standardize(trainTestSplit(data, { seed: 1 }))
  const backend = createBackend()
  const x = tensor(train.inputs, train.shape, { backend })
  for (const Kind of [NaturalGradient, KFAC]) {
    const hidden = new Dense(train.features, 8, { activation })
    const optimizer = new Kind(new Sequential([hidden, new Dense(8, train.classes)], { seed: 1, backend }))
    const losses = Array.from({ length: 25 }, () => optimizer.step(x, train.targets).loss)
    expect(Math.max(...losses)).toBe(losses[0])
    expect(losses[24] / losses[0]).toBeLessThan(0.7)
  }
})

test('NaturalGradient and KFAC learn the moons in fewer steps than SGD at any rate', () => {
  const backend = createBackend()
  const data = moons({ count: 300, noise: 0.15, seed: 1 })
  const x = tensor(data.inputs, data.shape, { backend })
  const y = Int32Array.from(data.targets)
  /** Number of steps to a loss of 0.02; SGD with a careful rate of 1 needs thousands. */
  const stepsOf = (make: (model: Sequential) => () => number, most: number) => {
    const model = new Sequential([new Dense(2, 16, { activation: 'tanh' }), new Dense(16, 2)], { seed: 3, backend })
    const step = make(model)
    for (let k = 0; k < most; k++) if (step() <= 0.02) return k
    return most
  }
  const sgd = (learningRate: number) => (model: Sequential) => {
    const optimizer = new SGD(model.parameters(), { learningRate })
    return () => {
      const loss = crossEntropy(model.forward(x), y)
      loss.backward()
      const value = loss.item()
      optimizer.step()
      return value
    }
  }
  const best = Math.min(...[2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20].map((rate) => stepsOf(sgd(rate), 500)))
  expect(best).toBeGreaterThan(40)
  const natural = stepsOf((model) => {
    const optimizer = new NaturalGradient(model, { learningRate: 0.5, damping: 3e-3 })
    return () => optimizer.step(x, y).loss
  }, best)
  const kfac = stepsOf((model) => {
    const optimizer = new KFAC(model, { learningRate: 0.5, damping: 3e-4 })
    return () => optimizer.step(x, y).loss
  }, best)
  expect(natural).toBeLessThan(best)
  expect(kfac).toBeLessThan(best)
})

function rosenbrockOf(w: Parameter): Tensor {
  const [a, b] = [tensor([1, 0], { backend: w.backend }), tensor([0, 1], { backend: w.backend })]
  const x = sum(mul(w, a))
  const y = sum(mul(w, b))
  return add(square(sub(1, x)), mul(100, square(sub(y, square(x)))))
}

describe('bad input', () => {
  const make = {
    LBFGS: (p: Parameter[]) => new LBFGS(p),
    'LBFGS fixed': (p: Parameter[]) => new LBFGS(p, { lineSearch: 'none', learningRate: 1e-3 }),
    ConjugateGradient: (p: Parameter[]) => new ConjugateGradient(p),
    BFGS: (p: Parameter[]) => new BFGS(p),
    NewtonCG: (p: Parameter[]) => new NewtonCG(p),
    TrustRegionNewton: (p: Parameter[]) => new TrustRegionNewton(p),
  }
  for (const [name, build] of Object.entries(make)) {
    test(`${name}: a closure that throws leaves the parameters at the best point`, () => {
      const w = new Parameter([-1.2, 1], { backend: double() })
      let calls = 0
      let best = Number.POSITIVE_INFINITY
      const closure = () => {
        if (++calls > 5) throw new Error('out of data')
        const loss = rosenbrockOf(w)
        best = Math.min(best, loss.item())
        return loss
      }
      expect(() => build([w]).step(closure)).toThrow('out of data')
      expect(rosenbrockOf(w).item()).toBe(best)
    })

    test(`${name}: a loss that is NaN at the start changes nothing`, () => {
      const w = new Parameter([-1.2, 1], { backend: double() })
      const result = build([w]).step(() => mul(rosenbrockOf(w), Number.NaN))
      expect(result).toMatchObject({ reason: 'not-finite', converged: false })
      expect([...w.view()]).toEqual([-1.2, 1])
    })

    test(`${name}: NaN on the way is a point too far out`, () => {
      const w = new Parameter([-1.2, 1], { backend: double() })
      const optimizer = build([w])
      const before = rosenbrockOf(w).item()
      const result = optimizer.step(() => mul(rosenbrockOf(w), w.view()[0] > -1 ? Number.NaN : 1))
      expect(result.loss).toBeLessThanOrEqual(before)
      expect(w.view()[0]).toBeLessThanOrEqual(-1)
    })
  }

  test('a fixed step that diverges is undone', () => {
    const w = new Parameter([3], { backend: double() })
    const optimizer = new LBFGS([w], { lineSearch: 'none', learningRate: 1e200, maxIterations: 1 })
    const closure = () => sum(square(square(w)))
    optimizer.step(closure)
    expect(optimizer.step(closure)).toMatchObject({ reason: 'not-finite' })
    expect([...w.view()]).toEqual([3])
  })

  for (const Kind of [NaturalGradient, KFAC]) {
    test(`${Kind.name}: every end is said, and a step into nowhere is undone`, () => {
      const backend = double()
      const { x, y } = curve(backend)
      const start = flat(smallNet(backend))
      const of = (options = {}) => {
        const model = smallNet(backend)
        return { model, optimizer: new Kind(model, { loss: 'mse', damping: 1e-2, ...options }) }
      }

      const far = of({ learningRate: 1e200 })
      expect(far.optimizer.step(x, y)).toMatchObject({ reason: 'iterations', updated: true })
      expect(flat(far.model)).not.toEqual(start)
      const undone = far.optimizer.step(x, y)
      expect(undone).toMatchObject({ reason: 'not-finite', updated: false, converged: false })
      expect(undone.message).toMatch(/undone/)
      expect(flat(far.model)).toEqual(start)

      // Data that are not finite are not the step's fault.
      const near = of({ learningRate: 0.1 })
      near.optimizer.step(x, y)
      const after = flat(near.model)
      expect(near.optimizer.step([[Number.NaN]], [[1]])).toMatchObject({ reason: 'not-finite', updated: false })
      expect(flat(near.model)).toEqual(after)

      const there = of({ gradientTolerance: 1e9 }).optimizer.step(x, y)
      expect(there).toMatchObject({ reason: 'gradient', updated: false, converged: true })
      expect(there.gradientSize).toBeGreaterThan(0)
      // One row cannot determine 25 parameters.
      expect(of({ damping: 0 }).optimizer.step([[0.5]], [[3]])).toMatchObject({ reason: 'singular', updated: false })
    })
  }

  test('frozen parameters stay, the others learn', () => {
    const backend = double()
    const { x, y } = curve(backend)
    const closure = (model: Module) => () => mse(model.forward(x), y)
    const steps: Record<string, (model: Sequential) => unknown> = {
      LBFGS: (m) => new LBFGS(m.parameters()).step(closure(m)),
      BFGS: (m) => new BFGS(m.parameters()).step(closure(m)),
      ConjugateGradient: (m) => new ConjugateGradient(m.parameters()).step(closure(m)),
      NewtonCG: (m) => new NewtonCG(m.parameters()).step(closure(m)),
      TrustRegionNewton: (m) => new TrustRegionNewton(m.parameters()).step(closure(m)),
      LevenbergMarquardt: (m) => new LevenbergMarquardt(m).step(x, y),
      NaturalGradient: (m) => new NaturalGradient(m, { loss: 'mse', learningRate: 0.1, damping: 0.1 }).step(x, y),
      KFAC: (m) => new KFAC(m, { loss: 'mse' }).step(x, y),
    }
    for (const [name, step] of Object.entries(steps)) {
      const model = smallNet(backend)
      const [frozen, free] = model.parameters()
      frozen.requiresGrad = false
      const before = [frozen.view(), free.view()].map((view) => [...view])
      const loss = mse(model.predict(x), y).item()
      step(model)
      expect([...frozen.view()], name).toEqual(before[0])
      expect([...free.view()], name).not.toEqual(before[1])
      expect(mse(model.predict(x), y).item(), name).toBeLessThan(loss)
    }
  })

  test('a closure that answers with nothing is named', () => {
    const w = new Parameter([1], { backend: double() })
    expect(() => new LBFGS([w]).step((() => undefined) as never)).toThrow(/wants to return the loss, a Tensor or a number, got undefined/)
    expect(() => new BFGS([w]).step((async () => 1) as never)).toThrow(/got (a )?[pP]romise/)
  })

  test('parameters, options and data that do not fit', () => {
    const w = new Parameter([1], { backend: double() })
    expect(() => new LBFGS([])).toThrow(/no parameters/)
    expect(() => new LBFGS([w, w])).toThrow(/twice/)
    expect(() => new LBFGS([{ parameters: [w] } as never])).toThrow(/one group/)
    expect(() => new LBFGS([w, new Parameter([1], { backend: double() })])).toThrow(/another backend/)
    // @ts-expect-error no such option
    expect(() => new LBFGS([w], { lr: 1 })).toThrow(/did you mean learningRate/)
    expect(() => new LBFGS([w], { learningRate: -1 })).toThrow(/learningRate wants/)
    const optimizer = new LBFGS([w])
    expect(() => (optimizer.options.maxIterations = 0)).toThrow(/maxIterations wants/)
    expect(() => (optimizer.options.maxIterations = undefined as never)).toThrow(/maxIterations wants/)
    const model = smallNet(double())
    expect(() => new LevenbergMarquardt(model).step([[1, 2]], [[1]])).toThrow(/wants inputs \[rows, 1\], got/)
    expect(() => new LevenbergMarquardt(model).step([[1], [2]], [[1]])).toThrow(/wants 1 targets for each of 2 rows/)
    expect(() => new LevenbergMarquardt([w]).step([[1]], [[1]])).toThrow(/wants a closure/)
    expect(() => new NaturalGradient(oracleNet(double())).step(mlp.X.slice(0, 1), [3])).toThrow(/class 3, there are 3/)
    for (const decay of [-1, 1]) expect(() => new KFAC(model, { decay })).toThrow(`KFAC: decay wants a number in [0, 1), got ${decay}`)
    class Own extends Dense {}
    expect(() => new KFAC(new Sequential([new Own(2, 2)]))).toThrow(/wants a Sequential/)
  })

  test('a model with a forward of its own is trained by that', () => {
    class Doubled extends Sequential {
      override forward(x: unknown): never {
        return mul(super.forward(x as never) as Tensor, 2) as never
      }
    }
    const model = new Doubled([new Dense(1, 1)] as never, { seed: 1, backend: double() })
    const [x, y] = [
      [[0], [1], [2]],
      [[2], [4], [6]],
    ]
    new LevenbergMarquardt(model).step(x, y)
    expect(model.predict(x).toArray()).toEqual(y.map(([v]) => [expect.closeTo(v, 6)]))
    expect(() => new KFAC(model)).toThrow('KFAC: wants a Sequential of Dense and Activation layers')
  })

  test('LevenbergMarquardt: NaN in the data, a closure that throws, dead units', () => {
    const backend = double()
    const model = smallNet(backend)
    const before = flat(model)
    expect(new LevenbergMarquardt(model).step([[Number.NaN], [1]], [[1], [2]])).toMatchObject({ reason: 'not-finite' })
    expect(flat(model)).toEqual(before)
    const { x, y } = curve(backend)
    let calls = 0
    const closure = () => {
      if (++calls > 4) throw new Error('gone')
      return sub(model.forward(x), y)
    }
    const loss = mse(model.predict(x), y).item()
    expect(() => new LevenbergMarquardt(model).step(closure)).toThrow('gone')
    expect(mse(model.predict(x), y).item()).toBeLessThanOrEqual(loss)
    const dead = new Sequential([new Dense(1, 6, { activation: 'relu' }), new Dense(6, 1)], { seed: 1, backend })
    dead.parameters()[1].view().fill(-100)
    expect(new LevenbergMarquardt(dead).step(x, y).loss).toBeLessThan(0.6)
  })
})

describe('frozen parameters stay as they are, and out of the equations', () => {
  const [rows, inputs, hidden, outputs] = [30, 3, 5, 2]
  const numbers = (n: number, seed: number) => Float64Array.from(new Generator(seed).uniforms(n), (u) => 2 * u - 1)
  const [x, y] = [numbers(rows * inputs, 1), numbers(rows * outputs, 2)]
  type Make = (model: Module) => FitOptions['optimizer']
  const methods: [string, Make][] = [
    ['LevenbergMarquardt', (model) => new LevenbergMarquardt(model, { maxIterations: 5 })],
    ['LevenbergMarquardt, scaled', (model) => new LevenbergMarquardt(model, { maxIterations: 5, scaling: 'marquardt' })],
    ['Gauss-Newton', (model) => new LevenbergMarquardt(model, { maxIterations: 5, method: 'gauss-newton' })],
    ['NaturalGradient', (model) => new NaturalGradient(model, { loss: 'mse', learningRate: 0.2, damping: 0.1 })],
    ['NaturalGradient without damping', (model) => new NaturalGradient(model, { loss: 'mse', learningRate: 0.01, damping: 0 })],
    ['KFAC', (model) => new KFAC(model, { loss: 'mse' })],
    ['LBFGS', (model) => new LBFGS(model.parameters(), { maxIterations: 5 })],
    ['BFGS', (model) => new BFGS(model.parameters(), { maxIterations: 5 })],
    ['ConjugateGradient', (model) => new ConjugateGradient(model.parameters(), { maxIterations: 5 })],
    ['NewtonCG', (model) => new NewtonCG(model.parameters(), { maxIterations: 5 })],
    ['TrustRegionNewton', (model) => new TrustRegionNewton(model.parameters(), { maxIterations: 5 })],
  ]
  const train = (model: Module, make: Make, features: Float64Array) =>
    fit(model, {
      inputs: tensor(features, [rows, features.length / rows], { backend: model.backend }),
      targets: tensor(y, [rows, outputs], { backend: model.backend }),
      loss: mse,
      optimizer: make(model),
      epochs: 3,
      batchSize: 'full',
    })
  const weights = (model: Module) => model.parameters().flatMap((p) => [...p.data()])
  const net = (backend: Backend, bias = true) =>
    new Sequential([new Dense(inputs, hidden, { activation: 'tanh', bias }), new Dense(hidden, outputs, { bias })], { seed: 4, backend })

  test.each(methods)('%s: a frozen layer is a function that others learn from', async (_name, make) => {
    const backend = double()
    const model = net(backend)
    const [first, second] = model.layers
    for (const p of first.parameters()) p.requiresGrad = false
    const before = weights(first)
    const twin = new Dense(hidden, outputs, { backend, seed: 1 })
    twin.parameters().forEach((p, i) => p.view().set(second.parameters()[i].view()))
    const features = first.predict(tensor(x, [rows, inputs], { backend })).read() as Float64Array

    const { epochs } = await train(model, make, x)
    await train(twin, make, features)
    expect(weights(first)).toEqual(before)
    expect(distance(weights(second), weights(twin))).toBeLessThan(1e-8)
    expect(epochs[2].loss).toBeLessThan(epochs[0].loss)
  })

  test.each(methods)('%s: a frozen bias of zeros is none', async (_name, make) => {
    const [model, twin] = [net(double()), net(double(), false)]
    const kept = model.parameters().filter(({ shape }) => shape.length === 2)
    for (const p of model.parameters()) p.requiresGrad = kept.includes(p)
    kept.forEach((p, i) => p.view().set(twin.parameters()[i].view()))
    await train(model, make, x)
    await train(twin, make, x)
    expect(
      distance(
        kept.flatMap((p) => [...p.data()]),
        weights(twin),
      ),
    ).toBeLessThan(1e-8)
    for (const p of model.parameters()) if (!kept.includes(p)) expect([...p.data()]).toEqual([...new Float64Array(p.size)])
  })

  test.each(methods)('%s: a frozen weight beside its bias, thawed later', async (_name, make) => {
    const model = net(double())
    const [weight, bias] = model.parameters()
    weight.requiresGrad = false
    const optimizer = make(model)
    const before = [...weight.data()]
    const { epochs } = await train(model, () => optimizer, x)
    expect([...weight.data()]).toEqual(before)
    expect([...bias.data()]).not.toEqual([...new Float64Array(hidden)])
    expect(epochs[2].loss).toBeLessThan(epochs[0].loss)
    weight.requiresGrad = true
    await train(model, () => optimizer, x)
    expect([...weight.data()]).not.toEqual(before)
  })

  test('LevenbergMarquardt with a closure takes the steps that it takes with data', () => {
    const end = (how: 'data' | 'closure') => {
      const backend = double()
      const model = net(backend)
      model.parameters()[0].requiresGrad = false
      const optimizer = new LevenbergMarquardt(model, { maxIterations: 10 })
      const [a, b] = [tensor(x, [rows, inputs], { backend }), tensor(y, [rows, outputs], { backend })]
      if (how === 'data') optimizer.step(a, b)
      else optimizer.step(() => sub(model.forward(a), b))
      return weights(model)
    }
    expect(distance(end('data'), end('closure'))).toBeLessThan(1e-9)
  })
})
