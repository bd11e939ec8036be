/** Models inside models: layers in plain objects, their names, their modes, forward methods in plain JavaScript. */
import { describe, expect, test, vi } from 'vitest'
import {
  Adam,
  Dense,
  Dropout,
  fit,
  Lambda,
  Module,
  mse,
  mul,
  noGrad,
  Parameter,
  reshape,
  Sequential,
  SGD,
  type Tensor,
  trainOnBatch,
  zeros,
} from '../../ts/index.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()

describe.each(backends)('$variant', (backend) => {
  const inputs = Array.from({ length: 40 }, (_, i) => [i / 20 - 1])
  const flat = inputs.map(([x]) => 3 * x - 1)

  test('layers in plain objects are trained and saved, however they are nested', () => {
    class Heads extends Module {
      heads = { left: new Dense(2, 8), right: [new Dense(2, 8), new Dense(8, 1)] }
      blocks = [{ scale: new Parameter([1], { backend }), inner: new Map([['deep', new Dense(2, 2)]]) }]
      bare = Object.assign(Object.create(null), { bias: new Parameter([0], { backend }) })
      data = [[1, 2], [3]]
      self: object = { backend }
      forward(x: Tensor): Tensor {
        return this.heads.left.forward(x)
      }
    }
    const model = new Heads({ backend })
    ;(model.self as { self: object }).self = model.self
    const names = [...model.namedParameters().keys()]
    expect(names.sort()).toEqual(
      [
        ...['heads.left.weight', 'heads.left.bias', 'heads.right.0.weight', 'heads.right.0.bias', 'heads.right.1.weight'],
        ...['heads.right.1.bias', 'blocks.0.scale', 'blocks.0.inner.deep.weight', 'blocks.0.inner.deep.bias', 'bare.bias'],
      ].sort(),
    )
    expect(model.heads.right[1].path).toBe('heads.right.1')
    expect(model.parameters().every((p) => names.includes(p.name))).toBe(true)
  })

  test('fit leaves every part in the mode in which it was', async () => {
    const model = new Sequential([new Dense(1, 8), new Dropout(0.5), new Dense(8, 1)], { seed: 1, backend })
    const options = { inputs, targets: flat, loss: mse, optimizer: new SGD(model.parameters(), { learningRate: 0.01 }) }
    await fit(model, { ...options, validationFraction: 0.2 })
    expect(model.modules().map((m) => m.training)).toEqual([true, true, true, true])
    model.layers[1].training = false
    await fit(model, options)
    await expect(fit(model, { ...options, epochs: -1 })).rejects.toThrow(/epochs/)
    expect(model.modules().map((m) => m.training)).toEqual([true, true, false, true])
  })

  test('forward methods as plain JavaScript may have them', async () => {
    class Mine extends Lambda {}
    const of = (forward: unknown) => {
      const made = Object.assign(new Mine((x) => x), { forward: forward as Mine['forward'], at: new Parameter([1], { backend }) })
      return made as Module
    }
    const given = zeros([2, 1], { backend })
    expect(() => of(async (x: Tensor) => x).predict(given)).toThrow(
      /Mine\.forward\(\): wants to return a Tensor, got a Promise: it cannot be async/,
    )
    expect(() => of(undefined).predict(given)).toThrow(/Mine: a Module wants a method forward\(x\)/)
    const model = new Sequential([new Dense(1, 1), of((x: Tensor) => mul(x, 2).toArray())], { backend })
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
    await expect(fit(model, { inputs, targets: flat, loss: mse, optimizer })).rejects.toThrow(/Mine\.forward\(\): wants to return a Tensor/)
  })
})

describe.each(backends)('$variant', (backend) => {
  test('a model of models: every parameter has its own name, and state() has them all', () => {
    class Autoencoder extends Module {
      encoder = new Sequential([new Dense(3, 2)], { seed: 1, backend })
      decoder = new Sequential([new Dense(2, 3)], { seed: 2, backend })
      scales = [new Parameter([1], { backend }), new Parameter([2], { backend })]
      forward(x: Tensor): Tensor {
        return mul(this.decoder.forward(this.encoder.forward(x)), this.scales[0])
      }
    }
    const model = new Autoencoder({ backend })
    const names = ['encoder.0.weight', 'encoder.0.bias', 'decoder.0.weight', 'decoder.0.bias', 'scales.0', 'scales.1'].sort()
    expect(Object.keys(model.state()).sort()).toEqual(names)
    expect(
      model
        .parameters()
        .map((p) => p.name)
        .sort(),
    ).toEqual(names)
    expect(model.loadState(model.state()).parameters().length).toBe(6)
    const nested = new Sequential([new Sequential([new Dense(2, 2), new Dense(2, 2)], { backend }), new Dense(2, 1)], { backend })
    expect(Object.keys(nested.state()).length).toBe(6)
  })

  test('a layer that could not be built is not taken for built', () => {
    const layer = new Dense(2, 2, { weightInitializer: 'bad' as 'zeros', backend })
    expect(() => layer.predict([[1, 2]])).toThrow(/initializer wants one of/)
    expect(() => layer.predict([[1, 2]])).toThrow(/initializer wants one of/)
  })

  test('what was detached from a parameter stays, wherever the parameter goes', () => {
    const w = new Parameter([1, 2, 3], { backend })
    const [detached, reshaped] = [w.detach(), noGrad(() => reshape(w, [3, 1]))]
    new Adam([new Parameter([9, 9, 9], { backend }), w]) // moves the values
    w.assign([7, 7, 7])
    new Parameter(new Float32Array(64).fill(5), { backend })
    expect([detached.toArray(), reshaped.toArray()]).toEqual([
      [1, 2, 3],
      [[1], [2], [3]],
    ])
  })
})

test('layers that are not in an array', () => {
  const several = Sequential as unknown as new (...layers: Dense[]) => Sequential
  expect(() => new several(new Dense(2, 3), new Dense(3, 1))).toThrow('wants layers in an array, [new Dense(…), …], got')
})

test.each(['fit', 'trainOnBatch'] as const)('%s warns of a layer that the model hides from it', async (how) => {
  const backend = backends[0]
  const [inputs, flat] = [
    [[1], [2]],
    [1, 2],
  ]
  class Hiding extends Module {
    hidden = new Dense(1, 4, { backend })
    readonly #output = new Dense(4, 1, { backend })
    forward(x: Tensor): Tensor {
      return this.#output.forward(this.hidden.forward(x))
    }
  }
  class Open extends Module {
    hidden = new Dense(1, 4, { backend })
    output = new Dense(4, 1, { backend })
    forward(x: Tensor): Tensor {
      return this.output.forward(this.hidden.forward(x))
    }
  }
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const train = async (model: Module) => {
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
    if (how === 'fit') await fit(model, { inputs, targets: flat, loss: mse, optimizer })
    else trainOnBatch(model, { inputs, targets: flat, loss: mse, optimizer })
  }
  try {
    await train(new Open({ backend }))
    // a layer may be left out of the optimizer, but not of the model
    const part = new Open({ backend })
    trainOnBatch(part, { inputs, targets: flat, loss: mse, optimizer: new SGD(part.output.parameters(), { learningRate: 0.1 }) })
    // nor need one that is not to learn be in the model
    const frozen = new Dense(1, 1, { backend })
    for (const parameter of frozen.parameters()) parameter.requiresGrad = false
    class Reading extends Open {
      override forward(x: Tensor): Tensor {
        return super.forward(frozen.forward(x))
      }
    }
    await train(new Reading({ backend }))
    expect(warn).not.toHaveBeenCalled()
    Object.defineProperty(Hiding, 'name', { value: `HidingFrom_${how}` }) // each text comes once
    await train(new Hiding({ backend }))
    const text = new RegExp(`HidingFrom_${how}: forward uses parameter '(bias|weight)' .*not trained or saved; .*private field`)
    expect(warn.mock.calls).toEqual([[expect.stringMatching(text)]])
  } finally {
    warn.mockRestore()
  }
})
