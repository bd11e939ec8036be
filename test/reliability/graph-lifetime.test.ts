/**
 * Graphs that outlive a change of what they were computed from: backward() is right or an error that names parameter and
 * operation, never a gradient of other weights. Correct orders, as in training of adversarial pairs, stay allowed.
 */
import { describe, expect, test } from 'vitest'
import {
  Adam,
  add,
  Dense,
  fit,
  gather,
  gradients,
  mean,
  mse,
  mul,
  Parameter,
  reshape,
  SAM,
  Sequential,
  SGD,
  square,
  sum,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { newEngines } from '../tools/small-nets.js'

const backends = newEngines()

describe.each(backends)('$variant', (backend) => {
  const pair = () => {
    const model = new Sequential([new Dense(1, 1, { bias: false }), new Dense(1, 1, { bias: false })], { seed: 1, backend })
    const [w1, w2] = model.parameters()
    w1.assign([2])
    w2.assign([3])
    return { model, w1, w2 }
  }

  test('P4: a step between forward and backward is an error that names parameter and operation, as is any other change', () => {
    const changes: ((w2: Parameter, model: Sequential) => void)[] = [
      (w2) => {
        w2.grad = tensor([[1]], { backend })
        new SGD([w2], { learningRate: 1 }).step()
      },
      (w2) => {
        w2.view()[0] = 100
      },
      (w2) => void w2.assign([100]),
      (_, model) => model.loadState(model.state()),
      (w2) => {
        w2.grad = tensor([[1]], { backend })
        new Adam([w2]).step()
      },
    ]
    for (const change of changes) {
      const { model, w1, w2 } = pair()
      const h = model.forward([[1]])
      const [a, b] = [sum(h), sum(mul(h, 2))]
      a.backward(undefined, { retainGraph: true })
      change(w2, model)
      w1.grad = null
      expect(() => b.backward(undefined, { retainGraph: true })).toThrow(
        /^backward\(\): Dense\(1, 1\) '1' needs the values of parameter '1\.weight' that its forward pass read, but they were changed since \(optimizer\.step\(\), loadState\(\), assign\(\) or view\(\)\); run backward\(\) before the change/,
      )
      expect(w1.grad).toBeNull()
      expect(() => gradients(b, [w1], { createGraph: true })).toThrow(/1\.weight/)
      // and training of the model can continue
      sum(mul(model.forward([[1]]), 2)).backward()
      expect((w1.grad as Tensor | null)?.item()).toBe(2 * w2.item())
    }
  })

  test('P4: what is right is legal: both losses before the step, frozen or unread weights, a forward pass again', () => {
    const { model, w1, w2 } = pair()
    const h = model.forward([[1]])
    sum(h).backward(undefined, { retainGraph: true })
    sum(mul(h, 2)).backward()
    expect(w1.grad?.toArray()).toEqual([[9]])
    // the gradient of a product with respect to weights needs only the data
    const w = new Parameter([2, 3], { backend })
    const loss = sum(mul(w, [5, 7]))
    w.assign([0, 0])
    loss.backward()
    expect(w.grad?.toArray()).toEqual([5, 7])
    // also for a first layer, and for a layer that did not change
    const g = model.forward([[1]])
    w1.assign([100])
    sum(g).backward()
    expect(w1.grad?.toArray()).toEqual([[9 + 3]])
    expect(w2.grad?.toArray()).toEqual([[2 + 4 + 2]])
    // a table that is looked up, sums, and parameters that are moved by a new optimizer but keep their values
    const table = new Parameter([[1], [2]], { backend })
    const looked = sum(add(gather(table, [1, 1]), reshape(w, [2, 1])))
    new SGD([table, w])
    table.view()[0] = 7
    looked.backward()
    expect(table.grad?.toArray()).toEqual([[0], [2]])
  })

  test('P4: adversarial pairs: the critic runs again after its step; its graph of before is refused', () => {
    const generator = new Sequential([new Dense(1, 1, { bias: false })], { seed: 1, backend })
    const critic = new Sequential([new Dense(1, 1, { bias: false })], { seed: 2, backend })
    const optimizer = new SGD(critic.parameters(), { learningRate: 0.5 })
    const fake = generator.forward([[1]])
    mean(square(critic.forward(fake.detach()))).backward()
    const before = mean(critic.forward(fake))
    optimizer.step()
    mean(critic.forward(fake)).backward()
    const [w] = generator.parameters()
    expect(w.grad?.item()).toBe(critic.parameters()[0].item())
    expect(() => before.backward()).toThrow(/Dense\(1, 1\) '0' needs the values of parameter '0\.weight'/)
  })

  test('P4: gradients of gradients, and optimizers that move weights between their own passes', () => {
    const w = new Parameter([2, 3], { backend, name: 'w' })
    const [first] = gradients(sum(mul(w, mul(w, w))), [w], { createGraph: true })
    const second = sum(first)
    w.assign([1, 1])
    expect(() => second.backward()).toThrow(/mul needs the values of parameter 'w'/)
    const { model } = pair()
    const sam = new SAM(new SGD(model.parameters(), { learningRate: 0.01 }), { rho: 0.1 })
    for (let i = 0; i < 3; i++) {
      sam.step(() => {
        const loss = mse(model.forward([[1], [2]]), [[1], [2]])
        loss.backward()
        return loss.item()
      })
    }
    expect(model.parameters().every((p) => Number.isFinite(p.item()))).toBe(true)
  })

  test('P4: fit changes parameters too, however it runs its steps', async () => {
    const { model } = pair()
    const h = sum(square(model.forward([[1]])))
    const data = { inputs: tensor([[1], [2], [3]], { backend }), targets: tensor([[1], [2], [3]], { backend }) }
    await fit(model, { ...data, loss: mse, optimizer: new SGD(model.parameters(), { learningRate: 0.001 }), epochs: 200, batchSize: 1 })
    expect(() => h.backward()).toThrow(/needs the values of parameter|used after its training step/)
  })
})
