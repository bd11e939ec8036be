/** Nets that benchmarks train. */
import * as sources from '../../ts/index.js'

type Library = Pick<typeof sources, 'Dense' | 'Sequential'>

/** Widths from input to output, rows per step, and the activation of all layers but the last. */
export interface Workload {
  name: string
  sizes: number[]
  batch: number
  activation: 'relu' | 'tanh'
}

/** The net of a workload, always with the same weights, made by the library to which the backend belongs. */
export function netOf(
  { sizes, activation }: Workload,
  backend: sources.Backend,
  { Dense, Sequential }: Library = sources,
): sources.Sequential {
  const last = sizes.length - 2
  const layers = sizes.slice(1).map((n, i) => new Dense(sizes[i], n, { activation: i === last ? 'linear' : activation }))
  return new Sequential(layers, { seed: 1, backend })
}
