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

/** Puts the same pictures into `out`, each mirrored, shifted, turned, lit, colored and cut out at random. Pixels beyond the border are those of the border. */
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
    const picture = out.subarray(i * width, (i + 1) * width)
    if (how.color > 0 && channels === 3) tint(picture, how.color, generator)
    if (how.cutout > 0) cutOut(picture, size, how.cutout, generator)
  }
}

/** Multiplies red, green and blue by numbers of their own, from 1 − share to 1 + share. */
function tint(picture: Float32Array, share: number, generator: Generator): void {
  const factors = generator.uniforms(3).map((u) => 1 + (2 * u - 1) * share)
  for (let at = 0; at < picture.length; at++) picture[at] *= factors[at % 3]
}

/** Makes a square gray; less of it where it reaches over the edge. */
function cutOut(picture: Float32Array, size: number, share: number, generator: Generator): void {
  const { left, right, top, bottom } = squareAt(generator.uniforms(2), size, share)
  const channels = picture.length / size ** 2
  for (let y = top; y < bottom; y++) picture.fill(0.5, (y * size + left) * channels, (y * size + right) * channels)
}

/** The part in the picture of a square around a place. @param share of the picture's side */
function squareAt(middle: ArrayLike<number>, size: number, share: number): { left: number; right: number; top: number; bottom: number } {
  const half = (size * share) / 2
  const edge = (at: number) => Math.round(Math.min(size, Math.max(0, at)))
  const [x, y] = [middle[0] * size, middle[1] * size]
  return { left: edge(x - half), right: edge(x + half), top: edge(y - half), bottom: edge(y + half) }
}

function clamp(at: number, size: number): number {
  return at < 0 ? 0 : at > size - 1 ? size - 1 : at
}

/** Targets that are mixed with the pictures: the share of each class, [rows, classes]. */
export interface Targets {
  values: Float32Array
  classes: number
}

/**
 * Mixes pictures with each other in place, and their targets: pairs of a random order, so that no picture has to be kept as it was. The last of an odd
 * number stays as it is.
 */
export function mixRows(pictures: Float32Array, targets: Targets, size: number, how: Required<Augment>, generator: Generator): void {
  const { values, classes } = targets
  const rows = values.length / classes
  const width = pictures.length / rows
  const order = generator.permutation(rows)
  for (let i = 0; i + 1 < rows; i += 2) {
    const [a, b] = [order[i], order[i + 1]]
    const [own, other] = [pictures.subarray(a * width, (a + 1) * width), pictures.subarray(b * width, (b + 1) * width)]
    const [choice, x, y] = generator.uniforms(3)
    const cuts = how.mixup === 0 || (how.cutmix > 0 && choice < 0.5)
    const drawn = beta(cuts ? how.cutmix : how.mixup, generator)
    const share = cuts ? swapSquare(own, other, size, [x, y], drawn) : drawn
    if (!cuts) blend(own, other, share)
    blend(values.subarray(a * classes, (a + 1) * classes), values.subarray(b * classes, (b + 1) * classes), share)
  }
}

/** a ← λ·a + (1 − λ)·b and b ← λ·b + (1 − λ)·a. */
function blend(a: Float32Array, b: Float32Array, share: number): void {
  for (let i = 0; i < a.length; i++) {
    const [u, v] = [a[i], b[i]]
    a[i] = v + share * (u - v)
    b[i] = u + share * (v - u)
  }
}

/** Swaps a square of 1 − λ of the area around a place; less where it reaches over the edge. @returns the share of the area that stays */
function swapSquare(a: Float32Array, b: Float32Array, size: number, middle: readonly number[], share: number): number {
  const { left, right, top, bottom } = squareAt(middle, size, Math.sqrt(1 - share))
  const channels = a.length / size ** 2
  for (let y = top; y < bottom; y++) {
    const [from, to] = [left, right].map((x) => (y * size + x) * channels)
    const kept = a.slice(from, to)
    a.set(b.subarray(from, to), from)
    b.set(kept, from)
  }
  return 1 - ((right - left) * (bottom - top)) / size ** 2
}

/** A number from Beta(α, α), 0 < α ≤ 1 (Jöhnk 1964), by logarithms: of a small α both powers would be 0. */
function beta(alpha: number, generator: Generator): number {
  for (;;) {
    const [x, y] = [...generator.uniforms(2)].map((u) => Math.log(1 - u))
    if (Math.exp(x / alpha) + Math.exp(y / alpha) <= 1) return 1 / (1 + Math.exp((y - x) / alpha))
  }
}
