/** Toy data in the plane, from a seed: small sets, each of which is hard for some kind of model. */

import { count, finite, nonNegative, readOptions, type Schema, seed, share } from '../common/options.js'
import { RandomStream } from '../common/random-stream.js'
import { type Dataset, dataset } from './dataset.js'

/** Options that all toy data take. */
export interface ToyOptions {
  /** Number of samples. */
  count?: number
  /** Standard deviation of the normal noise added to each coordinate. */
  noise?: number
  /** The same seed gives the same data. Default 0. */
  seed?: number
}

/** Options of {@link spirals}. */
export interface SpiralsOptions extends ToyOptions {
  /** Number of arms. Default 3. */
  classes?: number
  /** Turns of each arm. Default 0.75. */
  turns?: number
}

/** Options of {@link circles}. */
export interface CirclesOptions extends ToyOptions {
  /** Radius of the inner circle, from 0 to 1; the outer radius is 1. Default 0.5. */
  factor?: number
}

/** Options of {@link blobs}. */
export interface BlobsOptions extends Omit<ToyOptions, 'noise'> {
  /** Number of clouds. Default 3. */
  classes?: number
  /** Number of coordinates. Default 2. */
  features?: number
  /** Standard deviation of each cloud. Default 1. */
  spread?: number
  /** Centres are uniform in ±range in each coordinate. Default 10. */
  range?: number
}

const SEED = { seed: { is: seed, default: 0 } }
const classes = { is: count, default: 3 }

export const SPIRALS = {
  ...SEED,
  count: { is: count, default: 600 },
  noise: { is: nonNegative, default: 0.03 },
  classes,
  turns: { is: finite, default: 0.75 },
} satisfies Schema<SpiralsOptions>

export const MOONS = {
  ...SEED,
  count: { is: count, default: 400 },
  noise: { is: nonNegative, default: 0.1 },
} satisfies Schema<ToyOptions>

export const CIRCLES = { ...MOONS, factor: { is: share, default: 0.5 } } satisfies Schema<CirclesOptions>

export const XOR = {
  ...SEED,
  count: { is: count, default: 4 },
  noise: { is: nonNegative, default: 0 },
} satisfies Schema<ToyOptions>

export const BLOBS = {
  ...SEED,
  count: { is: count, default: 300 },
  classes,
  features: { is: count, default: 2 },
  spread: { is: nonNegative, default: 1 },
  range: { is: nonNegative, default: 10 },
} satisfies Schema<BlobsOptions>

/**
 * Arms that wind around each other: neither one straight line nor a few lines separate them. Radius up to 1. Default 600 samples, noise 0.03.
 *
 * @example spirals({ classes: 3, seed: 1 }).shape // [600, 2]
 */
export function spirals(options: SpiralsOptions = {}): Dataset {
  const { count, noise, seed, classes, turns } = readOptions('spirals', options, SPIRALS)
  return sample(new RandomStream(seed), count, classes, 2, noise, (c, i, n) => {
    const radius = 0.05 + (0.95 * i) / Math.max(n - 1, 1)
    const angle = 2 * Math.PI * (turns * radius + c / classes)
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })
}

/** Two interleaved half circles of radius 1. Default 400 samples, noise 0.1. @example moons({ count: 400, noise: 0.1 }).classes // 2 */
export function moons(options: ToyOptions = {}): Dataset {
  const { count, noise, seed } = readOptions('moons', options, MOONS)
  return sample(new RandomStream(seed), count, 2, 2, noise, (c, i, n) => {
    const angle = (Math.PI * i) / Math.max(n - 1, 1)
    return c === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)]
  })
}

/**
 * A circle (class 1) within another (class 0): no straight line separates them, but the distance from the center does. Default 400 samples, noise
 * 0.1.
 *
 * @example circles({ count: 400, factor: 0.4 }).shape // [400, 2]
 */
export function circles(options: CirclesOptions = {}): Dataset {
  const { count, noise, seed, factor } = readOptions('circles', options, CIRCLES)
  return sample(new RandomStream(seed), count, 2, 2, noise, (c, i, n) => {
    const angle = (2 * Math.PI * i) / n
    const radius = c === 0 ? 1 : factor
    return [radius * Math.cos(angle), radius * Math.sin(angle)]
  })
}

/**
 * The corners of a square, opposite corners in one class: a net without a hidden layer cannot learn it. Default: the four corners.
 *
 * @example xor().targets // Int32Array.of(0, 1, 0, 1)
 */
export function xor(options: ToyOptions = {}): Dataset {
  const { count, noise, seed } = readOptions('xor', options, XOR)
  return sample(new RandomStream(seed), count, 2, 2, noise, (c, i) => {
    const x = i % 2
    return [x, c === 0 ? x : 1 - x]
  })
}

/** Round clouds around random centers. Default 300 samples. @example blobs({ count: 300, classes: 4 }).shape // [300, 2] */
export function blobs(options: BlobsOptions = {}): Dataset {
  const { count, seed, classes, features, spread, range } = readOptions('blobs', options, BLOBS)
  const random = new RandomStream(seed)
  const centres = Array.from({ length: classes }, () => Array.from({ length: features }, () => range * (2 * random.uniform() - 1)))
  return sample(random, count, classes, features, spread, (c) => centres[c])
}

/** `count` samples, with alternating classes; `pointOf` returns the position of sample i of the n of its class before the noise. */
function sample(
  random: RandomStream,
  count: number,
  classes: number,
  features: number,
  noise: number,
  pointOf: (c: number, i: number, n: number) => readonly number[],
): Dataset {
  const inputs = new Float32Array(count * features)
  const targets = Int32Array.from({ length: count }, (_, row) => row % classes)
  for (let row = 0; row < count; row++) {
    const c = row % classes
    const point = pointOf(c, Math.floor(row / classes), Math.ceil((count - c) / classes))
    for (let j = 0; j < features; j++) inputs[row * features + j] = point[j] + (noise === 0 ? 0 : noise * random.normal())
  }
  return dataset(inputs, targets, classes)
}
