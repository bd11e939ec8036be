/**
 * The kernels of convolution and pooling (crate/conv/), a part of the contract in kernels.ts that only programs with `gradus/conv` contain.
 *
 * Images are [rows, height, width, channels], weights [kernel height, kernel width, channels / groups, filters]. The sizes of an image, its window and
 * its result are whole numbers in memory, at the address `geometry`, in the order of {@link GEOMETRY}; the number of rows is an argument. A window at
 * position (i, j) has its tap (u, v) at (i·strideY + u·dilationY − top, j·strideX + v·dilationX − left) of the image. Outside of the image are zeros
 * for convolutions; for pooling, taps there do not count. A stride of 0, for pooling alone, adapts windows to the size of the result: position i of n sees
 * places ⌊i·length / n⌋ to ⌈(i + 1)·length / n⌉ − 1, and the kernel is at least as large as each window.
 */
import { optional, type Ptr, type RangeMaker, type Ranges } from './memory-ranges.js'

// biome-ignore format: a table
/** The numbers of a geometry in their order: Geometry in crate/conv/mod.rs reads them. */
export const GEOMETRY = [
  'height', 'width', 'channels', 'outHeight', 'outWidth', 'filters', 'kernelHeight', 'kernelWidth',
  'strideY', 'strideX', 'top', 'left', 'dilationY', 'dilationX', 'groups',
] as const

/** The numbers of a geometry by name. */
export type Geometry = Readonly<Record<(typeof GEOMETRY)[number], number>>

/** Largest number of floats of one window with its channels, of a padded image; and of the channels of a group: a panel must hold them. */
export const MAX_WINDOW = 1 << 17
export const MAX_GROUP_CHANNELS = 7500

/** The kernels of convolution and pooling. */
export interface ConvKernels {
  /**
   * y = f(z), z[i,j,o] = b[o] + Σ over taps and channels of the group of x · w. `b` optional. `z` is written only for activations in `SAVES_INPUT`; pass
   * 0 if the derivative will not be needed.
   */
  convForward(x: Ptr, w: Ptr, b: Ptr, z: Ptr, y: Ptr, rows: number, geometry: Ptr, activation: number, scratch: Ptr): void
  /**
   * dz = dy ⊙ f′(saved);  dw = Σ over positions of x · dz;  db = Σ dz;  dx = Σ over the windows with a pixel of w · dz. `saved`, `dz` and `accumulate` are
   * as in denseBackward, without ACCUMULATE_X. `dw`, `db` and `dx` are optional each; x is read for dw alone, w for dx alone.
   */
  convBackward(
    x: Ptr,
    w: Ptr,
    saved: Ptr,
    dy: Ptr,
    dz: Ptr,
    dw: Ptr,
    db: Ptr,
    dx: Ptr,
    rows: number,
    geometry: Ptr,
    activation: number,
    accumulate: number,
    scratch: Ptr,
  ): void
  /** y = the largest of each window and channel, NaN if any is; taps = its tap u·kernelWidth + v as a float, the first of several */
  maxPool(x: Ptr, y: Ptr, taps: Ptr, rows: number, geometry: Ptr): void
  /** dx = Σ of dy over the windows whose tap is this pixel */
  maxPoolBackward(taps: Ptr, dy: Ptr, dx: Ptr, rows: number, geometry: Ptr): void
  /** y = x at the taps */
  maxPoolPick(x: Ptr, taps: Ptr, y: Ptr, rows: number, geometry: Ptr): void
  /** y = the mean of each window and channel */
  averagePool(x: Ptr, y: Ptr, rows: number, geometry: Ptr): void
  /** dx = Σ over the windows with a pixel of dy / number of their taps inside the image */
  averagePoolBackward(dy: Ptr, dx: Ptr, rows: number, geometry: Ptr): void
  /**
   * y [outer, length · factor, inner] from x [outer, length, inner]: y[i, j] = (1 − s)·x[i, k] + s·x[i, k + 1] with p = max(0, (j + ½) / factor − ½),
   * k = ⌊p⌋, s = p − k; x[i, k] alone where s is 0 or k the last place. With `smooth` 0 y[i, j] = x[i, ⌊j / factor⌋].
   */
  upsample(x: Ptr, y: Ptr, outer: number, length: number, inner: number, factor: number, smooth: number): void
  /** dx[i, k] = Σ over the places of y with a share of x[i, k] of that share · dy */
  upsampleBackward(dy: Ptr, dx: Ptr, outer: number, length: number, inner: number, factor: number, smooth: number): void
}

/** The memory that each kernel reads and writes, for `kernelArguments`. */
export const convArguments = (savesInput: (activation: number) => boolean): Record<keyof ConvKernels, Ranges> => {
  const sizes = (d: RangeMaker, rows: number, at: Ptr) => {
    const g = geometryAt(d.heap, at)
    return {
      image: rows * g.height * g.width * g.channels,
      result: rows * g.outHeight * g.outWidth * g.filters,
      weights: (g.kernelHeight * g.kernelWidth * g.channels * g.filters) / g.groups,
      filters: g.filters,
      numbers: d.integers('geometry', at, GEOMETRY.length),
    }
  }
  return {
    convForward: (d, x, w, b, z, y, rows, geometry, activation, scratch) => {
      const { image, result, weights, filters, numbers } = sizes(d, rows, geometry)
      return [
        ...[numbers, d.input('x', x, image), d.input('w', w, weights), optional(d.input('b', b, filters))],
        ...(savesInput(activation) ? [optional(d.output('z', z, result))] : []),
        ...[d.output('y', y, result), d.scratch(scratch)],
      ]
    },
    convBackward: (d, x, w, saved, dy, dz, dw, db, dx, rows, geometry, activation, _accumulate, scratch) => {
      const { image, result, weights, filters, numbers } = sizes(d, rows, geometry)
      return [
        ...[numbers, d.input('x', x, dw === 0 ? 0 : image), d.input('w', w, dx === 0 ? 0 : weights), d.input('dy', dy, result)],
        ...(activation === 0 ? [] : [d.input('saved', saved, result), d.output('dz', dz, result, 'dy')]),
        ...[optional(d.output('dw', dw, weights)), optional(d.output('db', db, filters)), optional(d.output('dx', dx, image))],
        d.scratch(scratch),
      ]
    },
    maxPool: (d, x, y, taps, rows, geometry) => {
      const { image, result, numbers } = sizes(d, rows, geometry)
      return [numbers, d.input('x', x, image), d.output('y', y, result), d.output('taps', taps, result)]
    },
    maxPoolBackward: (d, taps, dy, dx, rows, geometry) => {
      const { image, result, numbers } = sizes(d, rows, geometry)
      return [numbers, d.input('taps', taps, result), d.input('dy', dy, result), d.output('dx', dx, image)]
    },
    maxPoolPick: (d, x, taps, y, rows, geometry) => {
      const { image, result, numbers } = sizes(d, rows, geometry)
      return [numbers, d.input('x', x, image), d.input('taps', taps, result), d.output('y', y, result)]
    },
    averagePool: (d, x, y, rows, geometry) => {
      const { image, result, numbers } = sizes(d, rows, geometry)
      return [numbers, d.input('x', x, image), d.output('y', y, result)]
    },
    averagePoolBackward: (d, dy, dx, rows, geometry) => {
      const { image, result, numbers } = sizes(d, rows, geometry)
      return [numbers, d.input('dy', dy, result), d.output('dx', dx, image)]
    },
    upsample: (d, x, y, outer, length, inner, factor) => {
      const size = outer * length * inner
      return [d.input('x', x, size), d.output('y', y, size * factor)]
    },
    upsampleBackward: (d, dy, dx, outer, length, inner, factor) => {
      const size = outer * length * inner
      return [d.input('dy', dy, size * factor), d.output('dx', dx, size)]
    },
  }
}

/** The numbers at an address. */
export function geometryAt(heap: { intView(at: Ptr, length: number): Int32Array }, at: Ptr): Geometry {
  const numbers = heap.intView(at, GEOMETRY.length)
  return Object.fromEntries(GEOMETRY.map((name, i) => [name, numbers[i]])) as Geometry
}
