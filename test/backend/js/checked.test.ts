/** The checked backend refuses calls that violate the contract, names the argument, and accepts all calls of the library. */
import { beforeEach, expect, test } from 'vitest'
import { SCRATCH_BYTES } from '../../../ts/backend/kernels.js'
import * as g from '../../../ts/entries/js.js'

let backend: ReturnType<typeof g.checkKernels>
beforeEach(() => {
  backend = g.checkKernels(g.createBackend({ backend: 'js' }))
})

const floats = (n: number) => backend.heap.allocate(4 * n)

test('an output that is longer than its block: kernel, argument, address and block', () => {
  const y = floats(16)
  backend.kernels.fill(y, 16, 1)
  expect(() => backend.kernels.fill(y, 17, 1)).toThrow(
    `fill: y wants 17 elements of 4 bytes at ${y}, got room for 16: the block from ${y} has 64 bytes`,
  )
})

test('an input that begins late in its block', () => {
  const [x, y] = [floats(32), floats(32)]
  expect(() => backend.kernels.exp(x + 64, y, 32)).toThrow(`exp: x wants 32 elements of 4 bytes at ${x + 64}, got room for 16`)
})

test('an address in no block, and one that was given back', () => {
  const [x, y] = [floats(16), floats(16)]
  backend.heap.free(x)
  expect(() => backend.kernels.neg(x, y, 16)).toThrow(`neg: x wants an address inside an allocated block, got ${x}, which is in none`)
  expect(() => backend.kernels.neg(y, 1 << 30, 16)).toThrow('neg: y wants an address inside an allocated block')
})

test('an address between two floats', () => {
  const [x, y] = [floats(16), floats(16)]
  expect(() => backend.kernels.copy(x + 2, y, 4)).toThrow(`copy: x wants an address that is a multiple of 4, got ${x + 2}`)
  expect(() => backend.kernels.copy(x, y + 0.5, 4)).toThrow('copy: y wants an address that is a multiple of 4')
})

test('an output over an input, unless the contract says in place', () => {
  const { kernels, heap } = backend
  const [x, y] = [floats(64), floats(64)]
  kernels.exp(x, x, 64)
  kernels.add(x, y, x, 8, 8, 8, 1, 0, 1)
  expect(() => kernels.exp(x, x + 4, 63)).toThrow(`exp: y wants memory of its own, got ${x + 4} to ${x + 256}, which overlaps x`)
  expect(() => kernels.add(x, y, y, 8, 8, 8, 1, 0, 1)).toThrow('add: y wants memory of its own')
  expect(() => kernels.transpose(x, x, 1, 8, 8, 1)).toThrow('transpose: y wants memory of its own')
  expect(() => kernels.matmul(x, y, heap.scratch, 8, 8, 8, 0, heap.scratch)).toThrow('matmul: c wants memory of its own')
  expect(() => kernels.matmul(x, y, y, 8, 8, 8, 0, heap.scratch)).toThrow('which overlaps b')
})

test('two outputs over one another', () => {
  const { kernels, heap } = backend
  const [x, w, dy, dw] = [floats(64), floats(64), floats(64), floats(64)]
  const backward = (db: number) => kernels.denseBackward(x, w, 0, dy, 0, dw, db, 0, 8, 8, 8, 0, 0, heap.scratch)
  backward(floats(8))
  expect(() => backward(dw + 4 * 8)).toThrow(`denseBackward: dw wants memory of its own, got ${dw} to ${dw + 256}, which overlaps db`)
})

test('a row of a table that is not there', () => {
  const [table, y, index] = [floats(16), floats(16), backend.heap.allocate(16)]
  backend.heap.intView(index, 2).set([0, 4])
  expect(() => backend.kernels.gatherRows(table, index, y, 2, 4)).toThrow('gatherRows: table wants 20 elements')
})

test('too little scratch', () => {
  const [x, y, z] = [floats(64), floats(64), floats(64)]
  expect(() => backend.kernels.matmul(x, y, z, 8, 8, 8, 0, floats(4))).toThrow(`matmul: scratch wants ${SCRATCH_BYTES} elements`)
})

test('a tensor of the step arena that is read beyond its end', () => {
  const { kernels, arena } = backend
  const [x, y] = [arena.allocate(64), arena.allocate(64)]
  expect(() => kernels.exp(x, y, 17)).toThrow(`exp: x wants 17 elements of 4 bytes at ${x}, got room for 16`)
})

test('backends in WebAssembly are refused', () => {
  expect(() => g.checkKernels(g.createBackend())).toThrow(/^checkKernels: backend wants one in JavaScript/)
})

test.each(['float32', 'float64'] as const)('a training passes, with the numbers of an unchecked one: %s', async (dtype) => {
  const train = async (on: g.Backend) => {
    const model = new g.Sequential(
      [new g.Dense(4, 9, { activation: 'gelu' }), new g.LayerNorm(9), new g.Dropout(0.2), new g.Dense(9, 3, { activation: 'linear' })],
      { backend: on, seed: 1 },
    )
    const inputs = Array.from({ length: 50 }, (_, i) => [0, 1, 2, 3].map((j) => Math.sin(i * 4 + j)))
    const targets = inputs.map((_, i) => i % 3)
    const optimizer = new g.Adam(model.parameters(), { learningRate: 0.01 })
    const { epochs } = await g.fit(model, { inputs, targets, loss: g.crossEntropy, optimizer, epochs: 3, batchSize: 8, seed: 2 })
    return [epochs.map(({ loss }) => loss), model.predict(inputs).data()]
  }
  const checked = g.checkKernels(g.createBackend({ backend: 'js', dtype }))
  expect(await train(checked)).toEqual(await train(g.createBackend({ backend: 'js', dtype })))
})
