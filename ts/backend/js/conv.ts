/** Convolution and pooling, as loops over positions and taps. */
import { type ConvKernels, type Geometry, geometryAt } from '../conv-kernels.js'
import type { Heap } from '../heap.js'
import { ACCUMULATE_B, ACCUMULATE_W, ACTIVATIONS, SAVES_INPUT } from '../kernels.js'
import { activationKernels } from './activation.js'
import { fillNumbers } from './few.js'
import { columnSums } from './reduce.js'
import { floatShift } from './shift.js'

const LINEAR = ACTIVATIONS.indexOf('linear')

/**
 * Calls f with each tap inside the image, position by position: the place of the position in the result, of the pixel in the image, both without
 * channels, and the number of the tap.
 */
function eachTap(g: Geometry, rows: number, f: (position: number, pixel: number, tap: number) => void): void {
  for (let row = 0, position = 0; row < rows; row++)
    for (let i = 0; i < g.outHeight; i++)
      for (let j = 0; j < g.outWidth; j++, position++) {
        const [top, bottom] = ends(i, g.height, g.outHeight, g.strideY, g.top)
        const [left, right] = ends(j, g.width, g.outWidth, g.strideX, g.left)
        for (let u = 0; u < g.kernelHeight; u++) {
          const y = top + u * g.dilationY
          if (y < 0 || y >= bottom) continue
          for (let v = 0; v < g.kernelWidth; v++) {
            const x = left + v * g.dilationX
            if (x >= 0 && x < right) f(position, (row * g.height + y) * g.width + x, u * g.kernelWidth + v)
          }
        }
      }
}

/** The place of the first tap of a window, and the first place behind those that count. */
function ends(i: number, length: number, count: number, stride: number, before: number): [first: number, end: number] {
  return stride > 0 ? [i * stride - before, length] : [Math.floor((i * length) / count), Math.ceil(((i + 1) * length) / count)]
}

export function convKernels(heap: Heap): ConvKernels {
  const shift = floatShift(heap)
  const { activationForward, activationBackward } = activationKernels(heap)

  return {
    convForward(x, w, b, z, y, rows, geometry, activation, _scratch) {
      const f = heap.floats
      const g = geometryAt(heap, geometry)
      const sum = z !== 0 && SAVES_INPUT.has(ACTIVATIONS[activation]) ? z : y
      const [xs, ws, bs, to] = [x, w, b, sum].map((at) => at >>> shift)
      const n = rows * g.outHeight * g.outWidth * g.filters
      const [inputs, outputs] = [g.channels / g.groups, g.filters / g.groups]
      for (let i = 0; i < n; i++) f[to + i] = b === 0 ? 0 : f[bs + (i % g.filters)]
      eachTap(g, rows, (position, pixel, tap) => {
        for (let c = 0; c < g.channels; c++) {
          const group = Math.floor(c / inputs)
          const value = f[xs + pixel * g.channels + c]
          const [from, into] = [
            ws + (tap * inputs + (c % inputs)) * g.filters + group * outputs,
            to + position * g.filters + group * outputs,
          ]
          for (let o = 0; o < outputs; o++) f[into + o] += value * f[from + o]
        }
      })
      if (activation !== LINEAR) activationForward(sum, y, n, activation)
    },
    convBackward(x, w, saved, dy, dz, dw, db, dx, rows, geometry, activation, accumulate, _scratch) {
      const g = geometryAt(heap, geometry)
      const positions = rows * g.outHeight * g.outWidth
      const d = activation === LINEAR ? dy : dz
      if (activation !== LINEAR) activationBackward(saved, dy, dz, positions * g.filters, activation)
      const f = heap.floats
      const [xs, ws, ds, toW, toX] = [x, w, d, dw, dx].map((at) => at >>> shift)
      const [inputs, outputs] = [g.channels / g.groups, g.filters / g.groups]
      if (dw !== 0 && !(accumulate & ACCUMULATE_W)) fillNumbers(f, toW, g.kernelHeight * g.kernelWidth * inputs * g.filters, 0)
      if (db !== 0) columnSums(f, ds, db >>> shift, positions, g.filters, (accumulate & ACCUMULATE_B) !== 0)
      if (dx !== 0) fillNumbers(f, toX, rows * g.height * g.width * g.channels, 0)
      eachTap(g, rows, (position, pixel, tap) => {
        for (let c = 0; c < g.channels; c++) {
          const group = Math.floor(c / inputs)
          const at = pixel * g.channels + c
          const from = ds + position * g.filters + group * outputs
          const weight = (tap * inputs + (c % inputs)) * g.filters + group * outputs
          if (dw !== 0) for (let o = 0; o < outputs; o++) f[toW + weight + o] += f[xs + at] * f[from + o]
          if (dx === 0) continue
          let sum = 0
          for (let o = 0; o < outputs; o++) sum += f[ws + weight + o] * f[from + o]
          f[toX + at] += sum
        }
      })
    },
    maxPool(x, y, taps, rows, geometry) {
      const f = heap.floats
      const g = geometryAt(heap, geometry)
      const c = g.channels
      const [xs, ys, ts] = [x, y, taps].map((at) => at >>> shift)
      let last = -1
      eachTap(g, rows, (position, pixel, tap) => {
        for (let i = 0; i < c; i++) {
          const [value, best] = [f[xs + pixel * c + i], f[ys + position * c + i]]
          if (position === last && (value <= best || Number.isNaN(best))) continue
          f[ys + position * c + i] = value
          f[ts + position * c + i] = tap
        }
        last = position
      })
    },
    maxPoolBackward(taps, dy, dx, rows, geometry) {
      const f = heap.floats
      const g = geometryAt(heap, geometry)
      const c = g.channels
      const [ts, from, to] = [taps, dy, dx].map((at) => at >>> shift)
      fillNumbers(f, to, rows * g.height * g.width * c, 0)
      eachTap(g, rows, (position, pixel, tap) => {
        for (let i = 0; i < c; i++) if (f[ts + position * c + i] === tap) f[to + pixel * c + i] += f[from + position * c + i]
      })
    },
    maxPoolPick(x, taps, y, rows, geometry) {
      const f = heap.floats
      const g = geometryAt(heap, geometry)
      const c = g.channels
      const [xs, ts, ys] = [x, taps, y].map((at) => at >>> shift)
      eachTap(g, rows, (position, pixel, tap) => {
        for (let i = 0; i < c; i++) if (f[ts + position * c + i] === tap) f[ys + position * c + i] = f[xs + pixel * c + i]
      })
    },
    averagePool(x, y, rows, geometry) {
      const f = heap.floats
      const g = geometryAt(heap, geometry)
      const c = g.channels
      const [xs, ys] = [x, y].map((at) => at >>> shift)
      const shares = sharesOf(g, rows)
      const sums = new Float64Array(shares.length * c)
      eachTap(g, rows, (position, pixel) => {
        for (let i = 0; i < c; i++) sums[position * c + i] += f[xs + pixel * c + i]
      })
      for (const [position, share] of shares.entries())
        for (let i = 0; i < c; i++) f[ys + position * c + i] = sums[position * c + i] * share
    },
    averagePoolBackward(dy, dx, rows, geometry) {
      const f = heap.floats
      const g = geometryAt(heap, geometry)
      const c = g.channels
      const [from, to] = [dy, dx].map((at) => at >>> shift)
      const shares = sharesOf(g, rows)
      fillNumbers(f, to, rows * g.height * g.width * c, 0)
      eachTap(g, rows, (position, pixel) => {
        for (let i = 0; i < c; i++) f[to + pixel * c + i] += f[from + position * c + i] * shares[position]
      })
    },
    upsample(x, y, outer, length, inner, factor, smooth) {
      const f = heap.floats
      const [xs, ys] = [x, y].map((at) => at >>> shift)
      eachPlace(outer, length, factor, smooth, (from, to, share) => {
        for (let i = 0; i < inner; i++) {
          const first = f[xs + from * inner + i]
          f[ys + to * inner + i] = share === 0 ? first : (1 - share) * first + share * f[xs + (from + 1) * inner + i]
        }
      })
    },
    upsampleBackward(dy, dx, outer, length, inner, factor, smooth) {
      const f = heap.floats
      const [from, into] = [dy, dx].map((at) => at >>> shift)
      fillNumbers(f, into, outer * length * inner, 0)
      eachPlace(outer, length, factor, smooth, (place, at, share) => {
        for (let i = 0; i < inner; i++) {
          const value = f[from + at * inner + i]
          f[into + place * inner + i] += (1 - share) * value
          if (share > 0) f[into + (place + 1) * inner + i] += share * value
        }
      })
    },
  }
}

/** Calls f with each place of an enlarged array: the place of the original before it, its own, and the share of the next place of the original. */
function eachPlace(
  outer: number,
  length: number,
  factor: number,
  smooth: number,
  f: (from: number, to: number, share: number) => void,
): void {
  for (let i = 0; i < outer; i++)
    for (let j = 0; j < length * factor; j++) {
      const p = smooth === 0 ? Math.floor(j / factor) : Math.max(0, (j + 0.5) / factor - 0.5)
      const k = Math.floor(p)
      f(i * length + k, i * length * factor + j, k + 1 < length ? p - k : 0)
    }
}

/** 1 / the number of taps inside the image, for each position. */
function sharesOf(g: Geometry, rows: number): Float64Array {
  const counts = new Float64Array(rows * g.outHeight * g.outWidth)
  eachTap(g, rows, (position) => {
    counts[position]++
  })
  return counts.map((count) => 1 / count)
}
