/** Inputs that optimizers accept as parameters, and inputs that they refuse. */
import { describe, expect, test } from 'vitest'
import { Adam, createBackend, Dense, fit, Muon, mse, mul, Parameter, Sequential, SGD } from '../../../ts/index.js'
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

const backend = createBackend({ backend: 'js' })
const net = () => new Sequential([new Dense(2, 3), new Dense(3, 1)], { seed: 1, backend })
// biome-ignore lint/suspicious/noExplicitAny: what JavaScript lets through
type Any = any

describe('parameters', () => {
  const model = net()

  test.each([LBFGS, BFGS, ConjugateGradient, NewtonCG, TrustRegionNewton].map((Class) => [Class.name, Class as Any]))(
    '%s names model.parameters() where it gets something else',
    (name, Class) => {
      const note = ' (one group: the method sees them as one vector)'
      const wants = `${name}: wants parameters, model.parameters()${note}, got `
      expect(() => new Class(model)).toThrow(new TypeError(`${wants}a Sequential`))
      expect(() => new Class(model.parameters)).toThrow(new TypeError(`${wants}a function`))
      expect(() => new Class(undefined)).toThrow(new TypeError(`${wants}undefined`))
      expect(() => new Class(model.layers)).toThrow(new TypeError(`${wants}a list with a Dense`))
      expect(() => new Class([])).toThrow(`${name}: there are no parameters; did you pass model.parameters()?`)
    },
  )

  test.each([Adam, Muon].map((Class) => [Class.name, Class as Any]))('%s says what in a list is no parameter', (name, Class) => {
    const got = (value: string) => new RegExp(`^${name}: wants parameters \\(model\\.parameters\\(\\)\\).*got a list with ${value}$`)
    expect(() => new Class(model.layers)).toThrow(got('a Dense'))
    expect(() => new Class(model.layers.map((layer) => layer.parameters()))).toThrow(got('an array of 2'))
    expect(() => new Class([null])).toThrow(got('null'))
    expect(() => new Class([{ learningRate: 1 }])).toThrow(got('an object with learningRate'))
    expect(() => new Class([{ parameters: model.layers }])).toThrow(got('a Dense'))
    expect(() => new Class([{ parameters: [] }])).toThrow(`${name}: group 0 has no parameters`)
  })

  test.each([NaturalGradient, KFAC].map((Class) => [Class.name, Class as Any]))('%s wants the model itself', (name, Class) => {
    expect(() => new Class(model.parameters())).toThrow(`${name}: wants the model, whose layers it looks into, got an array of 4`)
    expect(() => new Class()).toThrow(`${name}: wants the model, whose layers it looks into, got undefined`)
  })

  test('LevenbergMarquardt of nothing', () => {
    expect(() => new (LevenbergMarquardt as Any)()).toThrow(
      /^LevenbergMarquardt: wants parameters, model\.parameters\(\) .*, got undefined$/,
    )
  })

  const data = { inputs: [[1, 2]], targets: [[1]], loss: mse }

  test('all frozen: fit says so, and not what backward() would', async () => {
    const frozen = net()
    for (const p of frozen.parameters()) p.requiresGrad = false
    const optimizer = new SGD(frozen.parameters())
    await expect(fit(frozen, { ...data, optimizer })).rejects.toThrow('fit: optimizer SGD has no parameter that requiresGrad')
    const [bias] = frozen.parameters().slice(-1)
    bias.requiresGrad = true
    expect((await fit(frozen, { ...data, optimizer })).steps).toBe(1)
  })

  test('all frozen but one of a loss of your own: that one is trained', async () => {
    const frozen = net()
    for (const p of frozen.parameters()) p.requiresGrad = false
    const scale = new Parameter([1], { name: 'scale', backend })
    const optimizer = new SGD([...frozen.parameters(), scale])
    const { steps } = await fit(frozen, { ...data, loss: (p, t) => mse(mul(p, scale), t), optimizer })
    expect(steps).toBe(1)
    expect(scale.item()).not.toBe(1)
  })
})

describe('with plain arguments', () => {
  const backend = createBackend({ backend: 'js' })

  test('an array in two groups', () => {
    const w = { value: new Float32Array([1]), gradient: new Float32Array([1]), name: 'w' }
    for (const same of [w, { ...w }]) {
      expect(() => new SGD([{ parameters: [w] }, { parameters: [same] }], { learningRate: 0.1, backend })).toThrow(/'w' is given twice/)
    }
  })
})
