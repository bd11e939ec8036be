/** Class activation maps against PyTorch in float64 (test/oracles/activation_maps.py), and what a caller may do wrong. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Backend } from '../../ts/backend/index.js'
import { Conv1d, Conv2d, classActivationMap, GlobalAvgPool, MaxPool, Residual } from '../../ts/conv/index.js'
import { supportedVariants } from '../../ts/debug/index.js'
import {
  Activation,
  Adam,
  BatchNorm,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  Flatten,
  type Module,
  mul,
  ones,
  Sequential,
  type Tensor,
  tensor,
  zeros,
} from '../../ts/index.js'

type Description = [kind: string, ...sizes: number[]]
interface Case {
  x: number[]
  layers: Description[]
  /** Null for the default layer. */
  at: number | null
  classes: number[]
  maps: number[]
}
const { cases } = JSON.parse(readFileSync(new URL('../oracles/activation_maps.json', import.meta.url), 'utf8')) as { cases: Case[] }

const numbers = (count: number, salt: number) =>
  Float64Array.from({ length: count }, (_, i) => ((7919 * i + 104729 * salt + 13) % 2003) / 1001.5 - 1)
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

function layerOf([kind, a, b, c]: Description, isSignal: boolean): Module {
  const conv = (inputs: number, filters: number, kernel: number) =>
    isSignal ? new Conv1d(inputs, filters, kernel, { padding: 'same' }) : new Conv2d(inputs, filters, kernel, { padding: 'same' })
  if (kind === 'conv') return conv(a, b, c)
  if (kind === 'norm') return new BatchNorm(a)
  if (kind === 'relu') return new Activation('relu')
  if (kind === 'pool') return new MaxPool(a)
  if (kind === 'residual') return new Residual([conv(a, a, b)])
  if (kind === 'global') return new GlobalAvgPool()
  return kind === 'flatten' ? new Flatten() : new Dense(a, b)
}

function modelOf({ layers, x }: Case, backend: Backend): Sequential {
  const model: Sequential = new Sequential(layers.map((layer) => layerOf(layer, x.length === 3)) as never, { backend })
  model.parameters().forEach((parameter, i) => void parameter.assign(numbers(parameter.size, 2 + i)))
  for (const [name, buffer] of model.namedBuffers()) {
    const at = Number.parseInt(name, 10)
    const isMean = name.endsWith('runningMean')
    buffer.view().set(numbers(buffer.size, (isMean ? 60 : 80) + at).map((v) => (isMean ? 0.1 * v : 1 + 0.5 * v)))
  }
  return model
}

const backends: [string, Backend, number][] = [
  ['JavaScript, doubles', createBackend({ backend: 'js', dtype: 'float64' }), 1e-12],
  ...supportedVariants().map((variant): [string, Backend, number] => [variant, createBackend({ variant }), 2e-4]),
]

test.each(backends)('maps are those of PyTorch: %s', (_, backend, tolerance) => {
  expect(cases.length).toBe(60)
  for (const [i, c] of cases.entries()) {
    const model = modelOf(c, backend)
    const x = tensor(numbers(sizeOf(c.x), 1), c.x, { backend })
    const layer = c.at === null ? {} : { layer: (model.layers as readonly Module[])[c.at] }
    const map = classActivationMap(model, x, c.classes, layer)
    expect(map.shape).toEqual(c.x.slice(0, -1))
    map.data().forEach((value, j) => expect(Math.abs(value - c.maps[j]), `case ${i}, ${j}`).toBeLessThan(tolerance))
  }
})

const net = () =>
  new Sequential([new Conv2d(1, 4, 3, { activation: 'relu' }), new Dropout(0.5), new MaxPool(2), new Flatten(), new Dense(36, 3)], {
    seed: 1,
  })

test('a map lies where the picture is', () => {
  // one filter that copies its input, and a class for ink in the image
  const model = new Sequential([new Conv2d(1, 1, 3, { padding: 'same', bias: false }), new GlobalAvgPool(), new Dense(1, 2)])
  model.parameters().forEach(
    (parameter, i) =>
      void parameter.assign(
        [
          [0, 0, 0, 0, 1, 0, 0, 0, 0],
          [1, -1],
          [0, 0],
        ][i],
      ),
  )
  const image = zeros([1, 5, 5, 1]).data()
  image[2 * 5 + 3] = 1
  const [ink, paper] = [0, 1].map((c) => classActivationMap(model, tensor(image, [1, 5, 5, 1]), c).data())
  expect([...ink]).toEqual([...image])
  expect([...paper]).toEqual(new Array(25).fill(0))
})

test('training, gradients and modes of the model go on as if there were no map', () => {
  const [one, two] = [net(), net()]
  const x = tensor(numbers(4 * 64, 3), [4, 8, 8, 1])
  const steps = [one, two].map((model) => {
    const optimizer = new Adam(model.parameters())
    return () => {
      crossEntropy(model.forward(x), [0, 1, 2, 0]).backward()
      if (model === two) classActivationMap(model, x, 1)
      optimizer.step()
    }
  })
  for (let i = 0; i < 3; i++) for (const step of steps) step()
  expect(two.state()).toEqual(one.state())
  expect(two.modules().every(({ training }) => training)).toBe(true)
})

test('one class for all rows, a class for each, no rows', () => {
  const x = tensor(numbers(2 * 64, 3), [2, 8, 8, 1])
  const model = net()
  expect(classActivationMap(model, x, 2).data()).toEqual(classActivationMap(model, x, [2, 2]).data())
  expect(classActivationMap(model, zeros([0, 8, 8, 1]), []).shape).toEqual([0, 8, 8])
  expect(classActivationMap(model, zeros([0, 8, 8, 1]), 1).shape).toEqual([0, 8, 8])
})

test('layers in a Sequential inside count', () => {
  const inner = new Sequential([new Conv2d(1, 4, 3, { activation: 'relu' }), new Flatten()])
  const model = new Sequential([inner, new Dense(144, 3)], { seed: 1 })
  const x = ones([1, 8, 8, 1])
  expect(classActivationMap(model, x, 0).data()).toEqual(classActivationMap(model, x, 0, { layer: inner.layers[0] }).data())
})

test('NaN stays NaN, and huge values do not', () => {
  const model = net()
  const image = ones([1, 8, 8, 1]).data()
  expect(classActivationMap(model, tensor(image.map((v) => v * 1e30), [1, 8, 8, 1]), 0).data().every(Number.isFinite)).toBe(true) // biome-ignore format: one line
  image[9] = Number.NaN
  expect(
    classActivationMap(model, tensor(image, [1, 8, 8, 1]), 0)
      .data()
      .some(Number.isNaN),
  ).toBe(true)
})

describe('an error says what is wrong with', () => {
  const x = ones([2, 8, 8, 1])
  const map = classActivationMap as (...given: unknown[]) => unknown
  test.each<[string, () => unknown, RegExp]>([
    ['a model that is a layer', () => map(new Dense(2, 2), x, 0), /model wants a Sequential, got a Dense/],
    ['no model', () => map(undefined, x, 0), /model wants a Sequential, got undefined/],
    [
      'a model that does more than its layers',
      () => {
        const model = net()
        const { forward } = model
        return map(Object.assign(model, { forward: (input: Tensor) => mul(forward.call(model, input as never), -1) }), x, 0)
      },
      /model wants a Sequential that runs its layers in turn, got a Sequential with a forward of its own; give it new Sequential\(model\.layers\)/,
    ],
    ['a class that is not there', () => map(net(), x, 3), /classes: wants whole numbers from 0 to 2, got 3/],
    ['half a class', () => map(net(), x, 0.5), /wants whole numbers from 0 to 2, got 0.5/],
    ['a class of text', () => map(net(), x, 'cat'), /classes/],
    ['no class', () => map(net(), x), /classes/],
    ['NaN as a class', () => map(net(), x, Number.NaN), /got NaN/],
    ['too few classes', () => map(net(), x, [1]), /one for each of 2 rows, got shape \[1\]/],
    ['classes in a matrix', () => map(net(), x, [[1], [2]]), /one for each of 2 rows, got shape \[2, 1\]/],
    ['a layer of another model', () => map(net(), x, 0, { layer: new Flatten() }), /layer wants one of the model's layers/],
    ['a number as layer', () => map(net(), x, 0, { layer: 0 }), /layer wants one of the model's layers, such as model.layers\[0\], got 0/],
    ['a misspelt option', () => map(net(), x, 0, { layers: 0 }), /layers.*layer/],
    ['one picture alone', () => map(net(), ones([8, 8]), 0), /images want a shape of \[rows, height, width, channels\].*got \[8, 8\]/],
    ['pictures of another size', () => map(net(), ones([1, 9, 9, 3]), 0), /Conv2d/],
    [
      'a layer without pixels',
      () => {
        const model = net()
        return map(model, x, 0, { layer: model.layers[3] })
      },
      /layer wants a result with pixels, .*got \[2, 36\] of Flatten/,
    ],
    [
      'a model without pixels',
      () => map(new Sequential([new Flatten(), new Dense(64, 2)]), x, 0),
      /model wants a layer with weights whose result has pixels/,
    ],
    [
      'a model whose result is an image',
      () => map(new Sequential([new Conv2d(1, 2, 3)]), x, 0),
      /model wants logits of shape \[rows, classes\]/,
    ],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(message)
  })
})
