/** How modules find what they own, in which order, wherever it is kept. */
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { createBackend, Dense, Module, type ModuleOptions, type Tensor } from '../ts/index.js'

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
