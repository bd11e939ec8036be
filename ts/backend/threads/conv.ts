/**
 * Convolutions, shared by threads: each takes some lines of positions, or, of the gradient of the weights, some of their rows. Pooling and the gradient
 * of an activation are shared by images.
 */
import { type ConvKernels, geometryAt } from '../conv-kernels.js'
import { ACTIVATIONS, type Kernel } from '../kernels.js'
import type { Ptr } from '../memory-ranges.js'
import type { Shareable, WasmExports } from '../wasm/types.js'
import { FUNCTION, PRODUCT, scratchOf, shared } from './split.js'

const LINEAR = ACTIVATIONS.indexOf('linear')
/** The arrays that each kernel of pooling takes: images or results. The number of images and the geometry follow. */
const POOLING = {
  maxPool: ['image', 'result', 'result'],
  maxPoolBackward: ['result', 'result', 'image'],
  maxPoolPick: ['image', 'result', 'result'],
  averagePool: ['image', 'result'],
  averagePoolBackward: ['result', 'image'],
} as const
/** Nanoseconds of a float of an image in them. */
const POOLED = 0.4

/** The kernels of the part; convolutions with much work are divided among threads. */
export function shareKernels(threaded: Shareable): WasmExports {
  const { exports, pool } = threaded
  const { convForward: forward, convBackward: backward } = exports as unknown as ConvKernels
  const [forwardShare, gradientsShare] = [pool.numberOf(exports.convForwardShare), pool.numberOf(exports.convGradientsShare)]
  const backwardNumber = pool.numberOf(exports.convBackward)
  const memory = exports.memory as WebAssembly.Memory
  const numbersAt = (at: Ptr) => geometryAt({ intView: (from, length) => new Int32Array(memory.buffer, from, length) }, at)

  /** Nanoseconds of one product of windows and weights. */
  const timeOf = (rows: number, geometry: Ptr) => {
    const g = numbersAt(geometry)
    return (rows * g.outHeight * g.outWidth * g.filters * g.kernelHeight * g.kernelWidth * g.channels) / g.groups / PRODUCT
  }
  /** Bytes of an image and of a result. */
  const bytesOf = (geometry: Ptr) => {
    const g = numbersAt(geometry)
    return { image: 4 * g.height * g.width * g.channels, result: 4 * g.outHeight * g.outWidth * g.filters }
  }
  /** Runs a kernel on some of the images in each thread. `argumentsOf`: its arguments from an image on, for a number of them. */
  const byImages = (number: number, time: number, rows: number, argumentsOf: (first: number, count: number) => number[]): boolean => {
    const most = Math.min(rows, pool.sharesFor(time))
    if (most < 2) return false
    pool.runShared(number, time, most, (index, shares) => {
      const first = Math.floor((rows * index) / shares)
      return argumentsOf(first, Math.floor((rows * (index + 1)) / shares) - first)
    })
    return true
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
    const { result } = bytesOf(geometry)
    const gradients = (first: number, count: number): Parameters<typeof backward> => {
      const [s, d, to] = [saved, dy, dz].map((at) => at + first * result)
      return [0, 0, s, d, to, 0, 0, 0, count, geometry, activation, 0, scratch]
    }
    const hasGradient = activation === LINEAR || byImages(backwardNumber, (rows * result * FUNCTION) / 4, rows, gradients)
    if (!hasGradient) backward(...gradients(0, rows))
    const from = activation === LINEAR ? dy : dz
    pool.runShared(gradientsShare, time, most, (index, shares) => {
      return [x, w, from, dw, db, dx, rows, geometry, accumulate, scratchOf(threaded, index, scratch), index, shares]
    })
  }
  const table = { ...exports }
  for (const [name, arrays] of Object.entries(POOLING)) {
    const single = exports[name] as Kernel
    const number = pool.numberOf(single)
    const timeOf = (...args: number[]) => (args[arrays.length] * bytesOf(args[arrays.length + 1]).image * POOLED) / 4
    const kernel = (...args: number[]) => {
      const [rows, geometry] = args.slice(arrays.length)
      const bytes = bytesOf(geometry)
      const isShared = byImages(number, timeOf(...args), rows, (first, count) => {
        return [...arrays.map((array, i) => args[i] + first * bytes[array]), count, geometry]
      })
      if (!isShared) single(...args)
    }
    table[name] = shared(kernel, single, timeOf)
  }
  return {
    ...table,
    convForward: shared(convForward, forward, (_x, _w, _b, _z, _y, rows, geometry) => timeOf(rows, geometry)),
    convBackward: shared(convBackward, backward, (...call) => timeOf(call[8], call[9]) * products(call[5], call[7])),
  }
}
