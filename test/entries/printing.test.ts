/** The output of console.log: the numbers, not the engine behind them. */
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { grad } from '../../ts/curvature/index.js'
import '../../ts/entries/node.js'
import { trainHead } from '../../ts/head/index.js'
import {
  Activation,
  Adam,
  createBackend,
  Dense,
  fit,
  fitMany,
  mse,
  mul,
  ones,
  Parameter,
  Sequential,
  square,
  sum,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { fitStream } from '../../ts/stream/index.js'
import { reportText, trainTable } from '../../ts/table/index.js'

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

test('a printed history, table model, report or head is a short text', async () => {
  const net = new Sequential([new Dense(1, 1)], { seed: 1 })
  const options = { loss: mse, optimizer: new Adam(net.parameters()) }
  const batch = { inputs: [[1], [2]], targets: [[1], [2]] }
  const history = await fit(net, { ...options, ...batch, epochs: 3, validationFraction: 0.5 })
  expect(inspect(history)).toMatch(/^History: 3 epochs in [\d.]+ s · loss [\d.]+ · validation\.loss [\d.]+$/)
  expect(String(history)).toBe(inspect(history))
  expect(inspect(await fitStream(net, { ...options, data: [batch] }))).toMatch(/^StreamHistory: 2 rows, 1 epoch in [\d.]+ s · loss [\d.]+$/)
  // of nets of which one stops by an error
  const nets = [1, 2].map((seed) => new Sequential([new Dense(1, 1)], { seed }))
  const optimizers = nets.map((one) => new Adam(one.parameters()))
  const stop = () => {
    throw new Error('mine')
  }
  const callbacks = (i: number) => (i === 0 ? [] : [{ onEpochEnd: stop }])
  const [whole, ended] = await fitMany(nets, { ...batch, loss: mse, optimizers, epochs: 2, callbacks })
  expect(inspect(whole)).toMatch(/^History: 2 epochs in [\d.]+ s · loss/)
  expect(inspect(ended)).toMatch(/^History: 1 epoch in [\d.]+ s \(fit: onEpochEnd of callback 0 failed: mine\) · loss/)
  const { model, report } = await trainTable('docs/guide/iris.csv', { target: 'species', epochs: 2, hidden: [4] })
  const columns = 'sepal_length, sepal_width, petal_length, petal_width'
  expect(inspect(model)).toBe(
    `TableModel: 'species', 3 classes (setosa, versicolor, virginica), from 4 columns (${columns}) by 175 parameters`,
  )
  expect(inspect(report)).toBe(reportText(report))
  const hostile = Array.from({ length: 9 }, (_, i) => ({ 'a\u001b[2J': i, 'b\n': ['x\nTableModel: ', `y${'y'.repeat(300)}`][i % 2] }))
  const printed = inspect((await trainTable(hostile, { target: 'b\n', epochs: 2, hidden: [4] })).model)
  expect(printed).toMatch(/^TableModel: 'b\\n', 2 classes \(x\\nTableModel: , y+…\), from 1 column \(a\\u001b\[2J\) by \d+ parameters$/)
  const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog']) // biome-ignore format: vectors
  expect(inspect(head)).toContain('of 4 examples with 2 numbers each')
  // nothing of this is seen by loops, JSON or clones
  for (const shown of [history, report]) expect(Object.keys(structuredClone(shown))).toEqual(Object.keys(shown))
})

test('a tensor is taken apart into numbers where that loses no gradient, and never cloned', () => {
  const [x, apart] = [tensor([1, 2]), 'a Tensor with a gradient is no array: use split, slice, toArray() or data()']
  const list = (value: Tensor) => value as unknown as Iterable<number>
  expect(Float32Array.from(list(x))).toEqual(Float32Array.of(1, 2))
  expect([
    ...list(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    ),
    ...list(tensor(5)),
  ]).toEqual([[1, 2], [3, 4], 5])
  expect(x).toEqual(tensor([1, 2]))
  expect(x).not.toEqual(tensor([1, 3]))
  for (const value of [new Parameter([1]), mul(new Parameter([1, 2]), x)]) {
    expect(() => Array.from(list(value))).toThrow(apart)
    expect(() => Float32Array.from(list(value))).toThrow(apart)
    expect(() => new Set(list(value))).toThrow(apart)
  }
  expect(() => grad((([a, b]: Iterable<Tensor>) => mul(a, b)) as never)(x)).toThrow(apart)
  expect(() => new Adam(x as never)).toThrow('Adam: wants parameters (model.parameters())')
  for (const value of [x, { x }, new Parameter([1])]) expect(() => structuredClone(value)).toThrow(/a Tensor: send its data\(\) and shape/)
})
