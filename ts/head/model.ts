/** Heads as models. This file needs the engine of nets: it is imported when a model is asked for. */
import { Dense, type Module, Sequential } from '../index.js'
import type { Line } from './lines.js'

/** A model of a dense layer for each of the given ones, with relu between them. */
export function modelOf(lines: readonly Line[]): Sequential {
  const layers = lines.map(
    ({ weights, bias }, i) => new Dense(weights.length / bias.length, bias.length, i < lines.length - 1 ? { activation: 'relu' } : {}),
  )
  const model = new Sequential(layers as readonly Module[], { seed: 0 })
  model.build()
  for (const [i, { weight, bias }] of layers.entries()) {
    weight.assign(Float32Array.from(lines[i].weights))
    bias?.assign(Float32Array.from(lines[i].bias))
  }
  return model
}
