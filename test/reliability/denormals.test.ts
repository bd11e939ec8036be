/**
 * Numbers below 1.2e-38, with which processors are slow. The test measures processor time on an otherwise idle machine: `make nightly`. Limits are
 * twice the promise; with GRADUS_STRICT they are the promise.
 */

import { describe, expect, test } from 'vitest'
import { supportedVariants } from '../../ts/debug/index.js'
import { Adam, type Backend, createBackend, crossEntropy, Dense, Sequential, tensor, type Variant } from '../../ts/index.js'
import { cpuTime } from '../tools/clocks.js'
import { NIGHTLY } from '../tools/nightly.js'

const LIMIT = process.env.GRADUS_STRICT ? 1.5 : 3
/** The figure of bench/native/denormals.c on this machine; 2 to 4 on current processors. */
const PROCESSOR = Number(process.env.GRADUS_PROCESSOR ?? 8)

/** Training steps of a net whose inputs and weights were multiplied by a scale. */
function stepsOf(backend: Backend, scale: number): () => void {
  const layers = [new Dense(256, 128, { activation: 'tanh' }), new Dense(128, 128, { activation: 'relu' }), new Dense(128, 10)]
  const model = new Sequential(layers, { seed: 1, backend })
  for (const parameter of model.parameters()) parameter.assign(parameter.data().map((value) => value * scale))
  const optimizer = new Adam(model.parameters(), { learningRate: 0 })
  const x = tensor(
    Float32Array.from({ length: 64 * 256 }, (_, i) => Math.sin(i) * scale),
    [64, 256],
    { backend },
  )
  const labels = tensor(
    Int32Array.from({ length: 64 }, (_, i) => i % 10),
    { backend },
  )
  return () => {
    for (let i = 0; i < 8; i++) {
      crossEntropy(model.forward(x), labels).backward()
      optimizer.step()
    }
  }
}

/** Time of steps on numbers of a scale as a multiple of ordinary ones: the best of ten alternating rounds. */
function timesAsLong(variant: Variant, scale: number): number {
  const backend = createBackend({ variant })
  const steps = [1, scale].map((by) => stepsOf(backend, by))
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < 12; round++) {
    steps.forEach((run, i) => {
      const time = cpuTime(run)
      if (round > 1) best[i] = Math.min(best[i], time)
    })
  }
  return best[1] / best[0]
}

describe.runIf(NIGHTLY || process.env.GRADUS_STRICT).each(supportedVariants())('%s', (variant) => {
  test('fault 29: a step on denormal weights and inputs takes at most 1.5 times that on others', () => {
    expect(timesAsLong(variant, 1e-40)).toBeLessThan(LIMIT)
  })

  test('fault 29: a step of products that come out denormal takes no longer than the processor takes for these', () => {
    const times = timesAsLong(variant, 1e-20)
    if (process.env.GRADUS_STRICT) process.stdout.write(`${variant}: ${times.toFixed(2)} times for products of 1e-20\n`)
    expect(times).toBeLessThan(PROCESSOR)
  })
})
