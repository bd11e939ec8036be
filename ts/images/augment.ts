/** Pictures changed at random, so that a net sees more of them than there are. */
import type { Generator } from '../index.js'
import type { ImageSet } from './image-set.js'
import type { Augment } from './options.js'

/** Pictures of a set as a net takes them: 0 to 1. */
export function plainRows(
  { pixels, size, channels }: Pick<ImageSet, 'pixels' | 'size' | 'channels'>,
  rows: ArrayLike<number>,
): Float32Array {
  const width = size * size * channels
  const out = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i] * width
    for (let j = 0; j < width; j++) out[i * width + j] = pixels[from + j] / 255
  }
  return out
}

/** Puts the same pictures into `out`, each mirrored, shifted, turned and lit at random. Pixels beyond the border are those of the border. */
export function changeRows(set: ImageSet, rows: ArrayLike<number>, how: Required<Augment>, generator: Generator, out: Float32Array): void {
  const { pixels, size, channels } = set
  const width = size * size * channels
  const middle = (size - 1) / 2
  for (let i = 0; i < rows.length; i++) {
    const [flip, dx, dy, turn, contrast, brightness] = generator.uniforms(6)
    const angle = ((2 * turn - 1) * how.rotate * Math.PI) / 180
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
    const mirror = how.flip && flip < 0.5 ? -1 : 1
    const [x0, y0] = [dx, dy].map((u) => (2 * u - 1) * how.shift * size + middle)
    const gain = 1 + (2 * contrast - 1) * how.light
    const offset = 0.5 - 0.5 * gain + (2 * brightness - 1) * how.light
    const from = rows[i] * width
    for (let y = 0, at = i * width; y < size; y++)
      for (let x = 0; x < size; x++) {
        // where the pixel comes from, between four pixels of the picture
        const [ux, uy] = [mirror * (x - middle), y - middle]
        const [sx, sy] = [clamp(cos * ux + sin * uy + x0, size), clamp(cos * uy - sin * ux + y0, size)]
        const [left, top] = [Math.min(Math.floor(sx), size - 2), Math.min(Math.floor(sy), size - 2)]
        const [fx, fy] = [sx - left, sy - top]
        for (let c = 0; c < channels; c++, at++) {
          const p = from + (top * size + left) * channels + c
          const q = p + size * channels
          const upper = pixels[p] + fx * (pixels[p + channels] - pixels[p])
          const lower = pixels[q] + fx * (pixels[q + channels] - pixels[q])
          out[at] = (gain * (upper + fy * (lower - upper))) / 255 + offset
        }
      }
  }
}

function clamp(at: number, size: number): number {
  return at < 0 ? 0 : at > size - 1 ? size - 1 : at
}
