/** Random convolutions and poolings: odd sizes, strides beyond the kernel, dilation, groups, empty batches. */
import type { ConvOptions } from '../../ts/conv/index.js'
import type { Generator } from '../../ts/index.js'

/** A convolution with its shapes. */
export interface ConvCase {
  axes: 1 | 2
  x: number[]
  w: number[]
  options: Required<Pick<ConvOptions, 'stride' | 'padding' | 'dilation' | 'groups'>>
  filters: number
}

/** A whole number from `low` to `high`. */
const between = (random: Generator, low: number, high: number) => low + Math.floor(random.uniforms(1)[0] * (high - low + 1))
const oneOf = <T>(random: Generator, values: readonly T[]): T => values[between(random, 0, values.length - 1)]

/** A random convolution whose window fits. */
export function convCase(random: Generator, largest = 1): ConvCase {
  const axes = oneOf(random, [1, 2] as const)
  const groups = oneOf(random, [1, 1, 1, 2, 3, 8])
  const kind = oneOf(random, ['any', 'depthwise', 'any'])
  const channels = groups * between(random, 1, kind === 'depthwise' ? 1 : 4 * largest)
  const filters = groups * between(random, 1, kind === 'depthwise' ? 1 : 9 * largest)
  const each = (f: () => number) => Array.from({ length: axes }, f)
  const kernel = each(() => between(random, 1, 4))
  const stride = each(() => oneOf(random, [1, 1, 2, 3, 5]))
  const dilation = each(() => oneOf(random, [1, 1, 2, 3]))
  const reach = kernel.map((taps, i) => (taps - 1) * dilation[i] + 1)
  const same = between(random, 0, 3) === 0
  const zeros = each(() => 0).map((): [number, number] => [between(random, 0, 2), between(random, 0, 2)])
  const lengths = reach.map((r, i) => Math.max(1, same ? 1 : r - zeros[i][0] - zeros[i][1]) + between(random, 0, 9 * largest))
  const rows = oneOf(random, [0, 1, 2, 3])
  return {
    axes,
    x: [rows, ...lengths, channels],
    w: [...kernel, channels / groups, filters],
    filters,
    options: {
      stride: (axes === 1 ? stride[0] : stride) as never,
      dilation: (axes === 1 ? dilation[0] : dilation) as never,
      padding: same ? 'same' : zeros,
      groups,
    },
  }
}

/** Numbers around 0. */
export function draw(random: Generator, shape: readonly number[]): number[] {
  return [...random.normals(shape.reduce((a, b) => a * b, 1))]
}
