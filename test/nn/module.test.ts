/** Modules find their parameters and layers, in a fixed order, in all kinds of properties. */
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import {
  Adam,
  createBackend,
  crossEntropy,
  Dense,
  Dropout,
  fit,
  Module,
  type ModuleOptions,
  Sequential,
  type Tensor,
} from '../../ts/index.js'

const backend = createBackend()

class Kept extends Module {
  heads = new Map<string, Module>([
    ['left', new Dense(2, 3)],
    ['right', new Dense(2, 3, { bias: false })],
  ])
  more = new Set<Module>([new Dense(3, 1)])
  list = [new Dense(1, 1)]
  constructor(options: ModuleOptions) {
    super(options)
  }
  forward(x: Tensor): Tensor {
    return (this.heads.get('left') as Dense).forward(x)
  }
}

test('layers in a map, a set and an array are found', () => {
  const model = new Kept({ backend })
  expect([...model.namedParameters().keys()]).toEqual([
    'heads.left.weight',
    'heads.left.bias',
    'heads.right.weight',
    'more.0.weight',
    'more.0.bias',
    'list.0.weight',
    'list.0.bias',
  ])
  expect(model.modules().length).toBe(5)
  model.evaluate()
  expect([...model.more][0].training).toBe(false)
  const state = model.state()
  expect(new Kept({ backend, seed: 3 }).loadState(state).state()).toEqual(state)
})

test('a plain object may have a layer by any name', () => {
  class Named extends Module {
    blocks = { kernels: new Dense(2, 2), rest: new Dense(2, 2) }
    forward(x: Tensor): Tensor {
      return this.blocks.kernels.forward(x)
    }
  }
  expect(new Named({ backend }).parameters().length).toBe(4)
})

test('a field of any name is the user’s: context too', () => {
  class Attention extends Module {
    context = new Dense(2, 3)
    forward(x: Tensor): Tensor {
      return this.context.forward(x)
    }
  }
  const model = new Attention({ backend })
  expect([...model.namedParameters().keys()]).toEqual(['context.weight', 'context.bias'])
  expect(model.predict([[1, 2]]).shape).toEqual([1, 3])
})

test('a head put onto a used body that becomes part of another model is among its parameters', () => {
  class Net extends Module {
    head = new Dense(2, 3)
    forward(x: Tensor): Tensor {
      return this.head.forward(x)
    }
  }
  const body = new Net({ backend })
  body.predict([[1, 2]])
  body.head = new Dense(2, 3)
  const outer = new Sequential([body, new Dense(3, 1)], { backend })
  expect([...outer.namedParameters().keys()]).toEqual(['0.head.weight', '0.head.bias', '1.weight', '1.bias'])
})

test('weight comes before bias, also where a compiler drops fields that are only declared', async () => {
  const { outputFiles } = await build({
    stdin: { contents: "export { createBackend, Dense } from './ts/index.ts'", resolveDir: process.cwd(), loader: 'ts' },
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  })
  const loose = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`)
  const layer = new loose.Dense(2, 2, { backend: loose.createBackend({ backend: 'js' }) })
  expect([...layer.namedParameters().keys()]).toEqual(['weight', 'bias'])
  expect([...new Dense(2, 2, { backend }).namedParameters().keys()]).toEqual(['weight', 'bias'])
})

class Headed extends Module {
  body = new Dense(2, 4, { activation: 'tanh' })
  head: Module = new Dense(4, 1)
  constructor(options: ModuleOptions) {
    super(options)
  }
  forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x))
  }
}

test('a head that is put on a model in use is among its parameters at once, in its place, and is trained', async () => {
  const inputs = [[0, 1], [1, 0], [1, 1]] // biome-ignore format: rows
  const replaced = () => {
    const model = new Headed({ seed: 1, backend })
    model.predict(inputs)
    model.head = new Sequential([new Dense(4, 5), new Dropout(0.5), new Dense(5, 3)], { seed: 2, backend })
    return model
  }
  const model = replaced()
  const names = ['body.weight', 'body.bias', 'head.0.weight', 'head.0.bias', 'head.2.weight', 'head.2.bias']
  expect(model.parameters().map((p) => p.name)).toEqual(names)
  expect(Object.keys(model.state())).toEqual([...names, 'head.1.generator'])
  expect(replaced().state()).toEqual(model.state())
  const before = model.state()
  await fit(model, { inputs, targets: Int32Array.of(0, 1, 2), loss: crossEntropy, optimizer: new Adam(model.parameters()) })
  for (const name of names) expect(model.state()[name], name).not.toEqual(before[name])
})

test("a layer that is put in later draws from the model's seed, and lives on its backend", () => {
  const exact = createBackend({ backend: 'js', dtype: 'float64' })
  const weights = (seed: number) => {
    const model = new Headed({ seed, backend: exact })
    model.predict([[1, 2]])
    model.head = new Dense(4, 1)
    expect(model.predict([[1, 2]]).backend).toBe(exact)
    return model.state()
  }
  expect(weights(1)).toEqual(weights(1))
  expect(weights(1)['head.weight']).not.toEqual(weights(2)['head.weight'])
})

test('a layer that its first use made is called by its place afterwards', () => {
  class Lazy extends Module {
    layer: Dense | undefined
    forward(x: Tensor): Tensor {
      this.layer ??= new Dense(x.shape[1], 1, { backend })
      return this.layer.forward(x)
    }
  }
  const model = new Lazy({ backend })
  model.predict([[1, 2]])
  expect(model.parameters().map((p) => p.name)).toEqual(['layer.weight', 'layer.bias'])
})

test('fault 12: five thousand models in each other are built, named, used and saved without a stack overflow', () => {
  class Nest extends Module {
    constructor(readonly inner: Module) {
      super({ backend })
    }
    forward(x: Tensor): Tensor {
      return x
    }
  }
  let own: Module = new Dense(1, 1)
  for (let i = 0; i < 5000; i++) own = new Nest(own)
  expect(own.parameters().map(({ name }) => name)).toEqual([`${'inner.'.repeat(5000)}weight`, `${'inner.'.repeat(5000)}bias`])
  expect(own.evaluate().modules().length).toBe(5001)

  let model: Module = new Dense(1, 1, { backend })
  for (let i = 0; i < 5000; i++) model = new Sequential([model], { backend })
  expect(model.modules().at(-1)?.path).toBe(Array(5000).fill('0').join('.'))
  expect(model.predict([[1]]).shape).toEqual([1, 1])
  expect(Object.keys(model.loadState(model.state()).state()).length).toBe(2)
})

test('fault 12: a part that holds its owner is no endless loop', () => {
  class Part extends Module {
    owner: Module | undefined
    layer = new Dense(1, 1)
    forward(x: Tensor): Tensor {
      return this.layer.forward(x)
    }
  }
  class Owner extends Module {
    part = new Part()
    constructor() {
      super({ backend })
      this.part.owner = this
    }
    forward(x: Tensor): Tensor {
      return this.part.forward(x)
    }
  }
  const model = new Owner()
  expect([...model.namedParameters().keys()]).toEqual(['part.layer.weight', 'part.layer.bias'])
  expect([model.part.path, model.path]).toEqual(['part', ''])
})

test('fault 31: structuredClone refuses a model, which would lose its methods, and says what to do', () => {
  for (const model of [new Dense(1, 1, { backend }), new Sequential([new Dense(1, 1)], { backend }), new Kept({ backend })])
    expect(() => structuredClone(model)).toThrow(/state\(\), and loadState\(\)/)
  const model = new Dense(1, 1, { backend })
  expect(new Dense(1, 1, { backend, seed: 2 }).loadState(structuredClone(model.state())).state()).toEqual(model.state())
})

test('whatever changes in a model is seen at its next use: a property, an entry of an array, of an object or of a map', () => {
  const model = new Kept({ backend })
  const count = () => model.parameters().length
  expect(count()).toBe(7)
  model.list.push(new Dense(1, 1))
  expect(count()).toBe(9)
  model.heads.set('third', new Dense(1, 1, { bias: false }))
  expect(count()).toBe(10)
  model.heads.delete('third')
  model.list = []
  expect(count()).toBe(5)
  class Named extends Module {
    first: Module | undefined = new Dense(1, 1)
    second: Module | undefined
    blocks: Record<string, Module> = {}
    forward(x: Tensor): Tensor {
      return x
    }
  }
  const named = new Named({ backend })
  expect([...named.namedParameters().keys()]).toEqual(['first.weight', 'first.bias'])
  named.second = named.first
  named.first = undefined
  expect([...named.namedParameters().keys()]).toEqual(['second.weight', 'second.bias'])
  named.blocks.extra = new Dense(1, 1, { bias: false })
  expect(named.parameters().map((p) => p.name)).toEqual(['second.weight', 'second.bias', 'blocks.extra.weight'])
})

test('a model that has predicted sees layers that are exchanged, added and taken away afterwards', () => {
  class Open extends Module {
    first: Module = new Dense(2, 2)
    inner = new Sequential([new Dense(2, 2), new Dropout(0.5)], { backend })
    extra?: Module
    forward(x: Tensor): Tensor {
      const y = this.inner.forward(this.first.forward(x))
      return this.extra === undefined ? y : this.extra.forward(y)
    }
  }
  const model = new Open({ backend })
  const names = () => [...model.namedParameters().keys()]
  const inputs = [[1, 2]]
  model.predict(inputs)
  model.predict(inputs)
  const other = new Dense(2, 2, { bias: false })
  model.first = other
  expect(model.predict(inputs).shape).toEqual([1, 2])
  expect(names()).toEqual(['first.weight', 'inner.0.weight', 'inner.0.bias'])
  expect(model.modules()).toContain(other)
  model.extra = new Sequential([new Dropout(0.9), new Dense(2, 3)], { backend })
  // in evaluation mode the dropout that was put in is the identity too
  expect(model.predict(inputs).toArray()).toEqual(model.predict(inputs).toArray())
  expect(names()).toEqual(['first.weight', 'inner.0.weight', 'inner.0.bias', 'extra.1.weight', 'extra.1.bias'])
  expect(model.modules().every(({ training }) => training)).toBe(true)
  delete model.extra
  expect(model.predict(inputs).shape).toEqual([1, 2])
  expect(names()).toEqual(['first.weight', 'inner.0.weight', 'inner.0.bias'])
})

test('a model that lists its parts itself is asked each time', () => {
  const parts: [string, Module][] = [['a', new Dense(2, 2)]]
  class Listing extends Module {
    protected override children() {
      return parts
    }
    forward(x: Tensor): Tensor {
      return parts.reduce((y, [, part]) => part.forward(y), x)
    }
  }
  const model = new Listing({ backend })
  model.predict([[1, 2]])
  parts.push(['b', new Dense(2, 1)])
  expect(model.predict([[1, 2]]).shape).toEqual([1, 1])
  expect([...model.namedParameters().keys()]).toEqual(['a.weight', 'a.bias', 'b.weight', 'b.bias'])
})

test('neighbours that do not fit are told where they are put together, also without types', () => {
  const wrong = () => new Sequential([new Dense(4, 16), new Dense(8, 3)] as never)
  expect(wrong).toThrow('Sequential: layer 1 wants 8 inputs, but layer 0 gives 16')
  class Folded extends Dense {}
  expect(() => new Sequential([new Dense(4, 16), new Folded(8, 3)] as never)).not.toThrow()
})
