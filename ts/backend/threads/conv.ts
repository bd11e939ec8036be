/** Convolutions, shared by threads: each takes some lines of positions, or, of the gradient of the weights, some of their rows. */
import { type ConvKernels, geometryAt } from '../conv-kernels.js'
import { ACTIVATIONS } from '../kernels.js'
import type { Ptr } from '../memory-ranges.js'
import type { Shareable, WasmExports } from '../wasm/types.js'
import { PRODUCT, scratchOf, shared } from './split.js'

const LINEAR = ACTIVATIONS.indexOf('linear')

/** The kernels of the part; convolutions with much work are divided among threads. */
export function shareKernels(threaded: Shareable): WasmExports {
  const { exports, pool } = threaded
  const { convForward: forward, convBackward: backward } = exports as unknown as ConvKernels
  const [forwardShare, gradientsShare] = [pool.numberOf(exports.convForwardShare), pool.numberOf(exports.convGradientsShare)]
  const memory = exports.memory as WebAssembly.Memory
  const numbersAt = (at: Ptr) => geometryAt({ intView: (from, length) => new Int32Array(memory.buffer, from, length) }, at)

  /** Nanoseconds of one product of windows and weights. */
  const timeOf = (rows: number, geometry: Ptr) => {
    const g = numbersAt(geometry)
    return (rows * g.outHeight * g.outWidth * g.filters * g.kernelHeight * g.kernelWidth * g.channels) / g.groups / PRODUCT
  }
  const products = (dw: Ptr, dx: Ptr) => (dw === 0 ? 0 : 1) + (dx === 0 ? 0 : 1)

  const convForward: ConvKernels['convForward'] = (x, w, b, z, y, rows, geometry, activation, scratch) => {
    const time = timeOf(rows, geometry)
    const most = pool.sharesFor(time)
    if (most < 2) return forward(x, w, b, z, y, rows, geometry, activation, scratch)
    pool.runShared(forwardShare, time, most, (index, shares) => {
      return [x, w, b, z, y, rows, geometry, activation, scratchOf(threaded, index, scratch), index, shares]
    })
  }
  const convBackward: ConvKernels['convBackward'] = (...call) => {
    const [x, w, saved, dy, dz, dw, db, dx, rows, geometry, activation, accumulate, scratch] = call
    const time = timeOf(rows, geometry) * products(dw, dx)
    const most = pool.sharesFor(time)
    if (most < 2) return backward(...call)
    // every share of dw and dx needs all of dz: the kernel without their addresses computes it alone
    if (activation !== LINEAR) backward(0, 0, saved, dy, dz, 0, 0, 0, rows, geometry, activation, 0, scratch)
    const from = activation === LINEAR ? dy : dz
    pool.runShared(gradientsShare, time, most, (index, shares) => {
      return [x, w, from, dw, db, dx, rows, geometry, accumulate, scratchOf(threaded, index, scratch), index, shares]
    })
  }
  return {
    ...exports,
    convForward: shared(convForward, forward, (_x, _w, _b, _z, _y, rows, geometry) => timeOf(rows, geometry)),
    convBackward: shared(convBackward, backward, (...call) => timeOf(call[8], call[9]) * products(call[5], call[7])),
  }
}
