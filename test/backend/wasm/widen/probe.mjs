/** Calls one kernel of a WebAssembly file once, so that a trace of the engine shows only that kernel: `node probe.mjs FILE KERNEL TILE`. */
import { readFileSync } from 'node:fs'

const [file, kernel, tile] = process.argv.slice(2)
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {})
const [base, block] = [exports.heapBase(), 1 << 20]
exports.memory.grow((8 * block) >> 16)
const [a, b, c, d, scratch] = [0, 1, 2, 3, 4].map((i) => base + i * block)
const [rows, columns, inner] = [32, 64, 48]
const n = rows * columns
const ACTIVATIONS = { relu: 1, leakyRelu: 2, sigmoid: 3, tanh: 4, gelu: 5, silu: 6, softplus: 7, elu: 8, mish: 9, selu: 10 }

function call() {
  const product = kernel.startsWith('matmul') ? kernel : undefined
  if (product !== undefined) {
    exports.setTile(Number(tile))
    return exports[product](a, b, c, rows, columns, inner, 0, scratch)
  }
  if (kernel in ACTIVATIONS) return exports.activationForward(a, b, n, ACTIVATIONS[kernel])
  if (kernel === 'softmax') return exports.softmax(a, b, rows, columns)
  if (kernel === 'addScaled') return exports.addScaled(a, b, n, 0.5)
  if (exports[kernel].length === 6) return exports[kernel](a, b, c, n, n, d)
  return exports[kernel](a, b, n)
}

call()
