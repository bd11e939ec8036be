/** The output of console.log: the numbers, not the engine behind them. */
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import '../../ts/entries/node.js'
import { Activation, Adam, createBackend, Dense, ones, Parameter, Sequential, square, sum, tensor } from '../../ts/index.js'

const backend = createBackend()

test('a printed tensor shows its shape and first values, wherever they are, and nothing of the backend', () => {
  const x = tensor([[1, 2.5], [3, 4]], { backend, requiresGrad: true }) // biome-ignore format: a grid
  expect(inspect(x)).toBe('Tensor(float [2, 2] [[1, 2.5], [3, 4]])')
  expect(inspect(square(x))).toBe('Tensor(float [2, 2] [[1, 6.25], [9, 16]])')
  expect(inspect(new Parameter([0.1, NaN, -Infinity], { backend }))).toBe('Tensor(float [3] [0.1, NaN, -Infinity])')
  expect(inspect({ x: ones([9, 1, 9], { backend }) }).match(/…/g)).toHaveLength(9)
  const old = square(x)
  backend.arena.end()
  sum(square(x)).backward()
  expect(inspect(old)).toBe('Tensor(float [2, 2] of a step that is over)')
  for (const any of [x, square(x), sum(square(x)), new Parameter([1, 2], { backend })]) {
    expect(inspect(any, { depth: 6 })).not.toMatch(/kernels|arena|Heap|memory/)
  }
  expect(inspect(ones([1000, 1000], { backend })).length).toBeLessThan(500)
  expect(x.backend).toBe(backend)
  expect(Object.keys(x)).not.toContain('backend')
})

test('a printed backend says what it is', () => {
  const made = createBackend({ backend: 'js', dtype: 'float64' })
  expect(inspect(made)).toBe('Backend(js float64, threads: 1)')
  expect(inspect(backend)).toBe(`Backend(${backend.variant} float32, threads: 1)`)
  expect(Object.keys(made)).toEqual(Object.keys(createBackend({ backend: 'js' })))
})

test('a tensor is a text, but no number', () => {
  const x = tensor([1, 2], { backend })
  expect(`${x}`).toBe('Tensor(float [2] [1,2])')
  const wanted = 'a Tensor is not a number: use add, sub, mul, div or pow, or item() for the number in it'
  for (const operation of [(t: never) => t * 2, (t: never) => t - 1, (t: never) => t + 1, (t: never) => -t, (t: never) => t ** 2])
    expect(() => operation(x as never)).toThrow(new TypeError(wanted))
})

test('a tensor in JSON is its numbers', () => {
  const x = tensor([[1, 2.5], [3, 4]], { backend, requiresGrad: true }) // biome-ignore format: a grid
  expect(JSON.stringify({ x, y: sum(square(x)) })).toBe('{"x":[[1,2.5],[3,4]],"y":32.25}')
})

test('a printed model or optimizer shows its layers or options, and nothing of the backend', () => {
  const model = new Sequential([new Dense(2, 1, { bias: false, backend }), new Activation('relu')], { seed: 1, backend })
  model.predict([[1, 2]])
  model.forward(tensor([[1, 2]], { backend }))
  expect(inspect(model).replace(/\[\[.*\]\]/, '…')).toBe(`Sequential {
  layers: [
    Dense {
      inputs: 2,
      outputs: 1,
      activation: 'linear',
      weight: Tensor(float [2, 1] …)
    },
    Activation { activation: 'relu' }
  ]
}`)
  const optimizer = new Adam(model.parameters(), { learningRate: 0.25, backend })
  expect(inspect(optimizer)).toMatch(/^Adam \{\n {2}stepCount: 0,\n {2}groups: \[[\s\S]*learningRate: 0.25,[\s\S]*parameters: \[Array\]/)
  for (const any of [model, optimizer]) expect(inspect(any, { depth: 9 })).not.toMatch(/kernels|arena|Heap|memory/)
})

test('a model or an optimizer in JSON is its state, which can be loaded again', () => {
  const make = (seed: number) => new Sequential([new Dense(2, 3, { backend }), new Dense(3, 1)], { seed, backend })
  const model = make(1)
  const optimizer = new Adam(model.parameters())
  sum(square(model.forward(tensor([[1, 2]], { backend })))).backward()
  optimizer.step()
  const text = JSON.stringify({ model, optimizer })
  expect(text.length).toBeLessThan(3000)
  const kept = JSON.parse(text)
  const again = make(2).loadState(kept.model)
  expect(again.state()).toEqual(model.state())
  const other = new Adam(again.parameters())
  other.loadState(kept.optimizer)
  expect(other.state()).toEqual(optimizer.state())
})
