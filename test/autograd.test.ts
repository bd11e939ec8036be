/** The graph and the step: shared values, detaching, several losses, and the memory that a tensor lives in. */
import { describe, expect, test } from 'vitest'
import { grad, jacobian, valueAndGrad } from '../ts/curvature/index.js'
import {
  add,
  createBackend,
  Dense,
  exp,
  gradients,
  mean,
  mse,
  mul,
  noGrad,
  Parameter,
  reshape,
  Sequential,
  SGD,
  StaleTensorError,
  sin,
  softmax,
  square,
  sum,
  type Tensor,
  tensor,
} from '../ts/index.js'
import { newEngines } from './tools/small-nets.js'

const backends = newEngines()

describe.each(backends)('$variant', (backend) => {
  const leaf = (values: number[]) => tensor(values, { requiresGrad: true, backend })
  const data = (values: number[]) => tensor(values, { backend })
  const net = () => new Sequential([new Dense(3, 5, { activation: 'tanh' }), new Dense(5, 2)], { seed: 1, backend })
  const batch = () => ({
    x: tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { backend },
    ),
    y: tensor(
      [
        [1, 0],
        [0, 1],
      ],
      { backend },
    ),
  })

  test('gradients of a leaf add up over backward passes, and null forgets them', () => {
    const x = leaf([1, 2])
    sum(square(x)).backward()
    sum(square(x)).backward()
    expect(x.grad?.toArray()).toEqual([4, 8])
    x.grad = null
    sum(x).backward()
    expect((x.grad as Tensor | null)?.toArray()).toEqual([1, 1])
  })

  test('parameters: two backward passes before a step add up, the first after a step starts anew', () => {
    const w = new Parameter([1, 2], { backend })
    const optimizer = new SGD([w], { learningRate: 0 })
    sum(square(w)).backward()
    sum(square(w)).backward()
    expect(w.grad?.toArray()).toEqual([4, 8])
    optimizer.step()
    sum(square(w)).backward()
    expect(w.grad?.toArray()).toEqual([2, 4])
  })

  test('a reshaped parameter stays what it was, wherever an optimizer moves the parameter and whatever it makes of it', () => {
    const [a, b] = [new Parameter([1, 2, 3, 4], { backend }), new Parameter([5], { backend })]
    const matrix = reshape(a, [2, 2])
    const loss = add(sum(square(matrix)), sum(b))
    const optimizer = new SGD([a, b], { learningRate: 1 })
    new Parameter(new Float32Array(5).fill(9), { backend })
    loss.backward()
    expect(a.grad?.toArray()).toEqual([2, 4, 6, 8])
    const before = matrix.toArray()
    optimizer.step()
    expect(before).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(a.toArray()).toEqual([-1, -2, -3, -4])
  })

  test('two forward passes before one backward', () => {
    const [model, { x, y }] = [net(), batch()]
    const both = add(mse(model.forward(x), y), mse(model.forward(mul(x, 2)), y))
    both.backward()
    const together = model.parameters().map((p) => p.grad?.data())
    for (const p of model.parameters()) p.grad = null
    mse(model.forward(x), y).backward()
    mse(model.forward(mul(x, 2)), y).backward()
    model.parameters().forEach((p, i) => {
      Array.from(p.grad?.data() ?? []).forEach((g, j) => expect(g).toBeCloseTo(together[i]?.[j] ?? Number.NaN, 4))
    })
  })

  test('several outputs: each seed gives its own vector-Jacobian product', () => {
    const x = leaf([1, 2, 3])
    const y = mul(x, x)
    y.backward(data([1, 0, 2]), { retainGraph: true })
    expect(x.grad?.toArray()).toEqual([2, 0, 12])
    y.backward(data([0, 1, 0]))
    expect(x.grad?.toArray()).toEqual([2, 4, 12])
  })

  test('a graph is used once unless it is retained', () => {
    const x = leaf([1])
    const y = sum(square(x))
    y.backward()
    expect(() => y.backward()).toThrow(/already used.*backward\(undefined, \{ retainGraph: true \}\), or add the losses up$/)
    const again = sum(square(x))
    again.backward(undefined, { retainGraph: true })
    again.backward()
    expect(x.grad?.toArray()).toEqual([6])
  })

  test('options in the place of the seed', () => {
    const y = sum(square(leaf([1])))
    for (const wrong of [{ retainGraph: true }, null, 1])
      expect(() => y.backward(wrong as never)).toThrow(
        /^backward\(\): the seed gradient wants a tensor, got .*; options come second: backward\(undefined, options\)$/,
      )
    expect(() => y.backward({ retainGraph: true } as never)).toThrow(TypeError)
  })

  test('backward() says what is wrong', () => {
    expect(() => data([1]).backward()).toThrow(/requiresGrad/)
    expect(() => mul(leaf([1, 2]), 2).backward()).toThrow(/single number, got shape \[2\]/)
    expect(() => mul(leaf([1, 2]), 2).backward(data([1]))).toThrow(/seed gradient has shape \[1\], the result \[2\]/)
  })

  test('noGrad and detach cut the graph', () => {
    const x = leaf([2])
    expect(noGrad(() => square(x)).requiresGrad).toBe(false)
    const y = square(x)
    sum(mul(y.detach(), x)).backward()
    expect(x.grad?.toArray()).toEqual([4])
    expect(() => noGrad(async () => square(x))).toThrow(/asynchronous/)
    expect(square(x).requiresGrad).toBe(true)
  })

  test('a tensor of an earlier step is refused, keep() makes it last', () => {
    const [model, { x, y }] = [net(), batch()]
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
    const out = model.forward(x)
    const kept = out.keep()
    const loss = mse(out, y)
    loss.backward()
    optimizer.step()
    expect(loss.item()).toBeGreaterThan(0) // readable until the next step opens
    mse(model.forward(x), y)
    expect(() => out.data()).toThrow(StaleTensorError)
    expect(() => add(out, 1)).toThrow(/used after its training step.*keep\(\)/)
    expect(kept.data().length).toBe(4)
  })

  test('results outside a step are ordinary arrays that last', () => {
    const first = softmax(tensor([[1, 2]], { backend }))
    for (let i = 0; i < 100; i++) softmax(tensor([[i, 2]], { backend }))
    expect(first.data()[0]).toBeCloseTo(1 / (1 + Math.E), 6)
  })

  test('a loss may go on from a forward pass after an optimizer step (adversarial pairs)', () => {
    const generator = new Sequential([new Dense(2, 2)], { seed: 1, backend })
    const critic = new Sequential([new Dense(2, 1)], { seed: 2, backend })
    const [optG, optC] = [new SGD(generator.parameters(), { learningRate: 0.01 }), new SGD(critic.parameters(), { learningRate: 0.01 })]
    for (let i = 0; i < 20; i++) {
      const fake = generator.forward(tensor([[1, i / 20]], { backend }))
      mean(square(critic.forward(fake.detach()))).backward()
      optC.step()
      mean(critic.forward(fake)).backward()
      optG.step()
      for (const p of critic.parameters()) p.grad = null
    }
    expect(
      generator
        .predict([[1, 1]])
        .data()
        .every(Number.isFinite),
    ).toBe(true)
  })

  test('a forgotten noGrad() is an error long before memory runs out', () => {
    const [model, { x }] = [new Sequential([new Dense(3, 512), new Dense(512, 2)], { seed: 1, backend }), batch()]
    const before = backend.heap.totalBytes
    expect(() => {
      for (let i = 0; i < 100_000; i++) model.forward(x)
    }).toThrow(/results were recorded that no backward\(\).*predict.*noGrad/)
    expect(backend.heap.totalBytes - before).toBeLessThan(256 << 20)
    mse(model.forward(x), batch().y).backward() // and the model goes on
  })

  test('grad, valueAndGrad, jacobian', () => {
    expect(grad((x) => sum(square(x)))(data([1, 2])).toArray()).toEqual([2, 4])
    const { value, gradient } = valueAndGrad((x) => sum(square(x)))(data([1, 2]))
    expect([value, gradient.toArray()]).toEqual([5, [2, 4]])
    expect(jacobian((x) => mul(x, x))(data([1, 2])).toArray()).toEqual([
      [2, 0],
      [0, 4],
    ])
  })

  test('gradients(): of anything in the graph, zeros where there is no path, to higher orders', () => {
    const [x, z] = [leaf([3]), leaf([1])]
    const y = square(x)
    const [dy, dz] = gradients(sum(mul(y, y)), [y, z])
    expect([dy.toArray(), dz.toArray()]).toEqual([[18], [0]])
    const cube = mul(x, square(x))
    const [first] = gradients(sum(cube), [x], { createGraph: true })
    const [second] = gradients(sum(first), [x], { createGraph: true })
    const [third] = gradients(sum(second), [x])
    expect([first.item(), second.item(), third.item()]).toEqual([27, 18, 6])
  })

  test('a chain of 10,000 operations needs no stack', () => {
    const x = leaf([0.1])
    let y = mul(x, 1)
    for (let i = 0; i < 10_000; i++) y = add(y, 0.001)
    sum(sin(y)).backward()
    expect(x.grad?.item()).toBeCloseTo(Math.cos(10.1), 3)
  })

  test('an error in the middle of a step leaves the model usable', () => {
    const [model, { x, y }] = [net(), batch()]
    const optimizer = new SGD(model.parameters(), { learningRate: 0.1 })
    const before = model.state()
    expect(() => mse(model.forward(x), tensor([[1, 2, 3]], { backend }) as Tensor)).toThrow(
      /mse: prediction has shape \[2, 2\], target \[1, 3\]/,
    )
    expect(model.state()).toEqual(before)
    const losses = Array.from({ length: 20 }, () => {
      const loss = mse(model.forward(x), y)
      loss.backward()
      optimizer.step()
      return loss.item()
    })
    expect(losses[19]).toBeLessThan(losses[0])
  })

  test('tensors of two backends do not mix', () => {
    const other = createBackend({ backend: 'js' })
    expect(() => add(data([1]), tensor([1], { backend: other }))).toThrow(/two backends do not mix/)
    expect(() => exp(data([1]))).not.toThrow()
  })
})
