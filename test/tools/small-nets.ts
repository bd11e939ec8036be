/** Small nets and data sets that tests of training share. */

import { supportedVariants } from '../../ts/debug/index.js'
import { Adam, type Backend, createBackend, Dense, mse, Sequential } from '../../ts/index.js'

/** New backends: JavaScript, and each variant of WebAssembly that runs here. For tests of kernels, operations, losses and updates. */
export const newBackends = (): Backend[] => [
  createBackend({ backend: 'js' }),
  ...supportedVariants().map((variant) => createBackend({ variant })),
]

/**
 * New backends: JavaScript, and the variant of WebAssembly that programs get. For tests of what lies above kernels: the variants differ in the
 * rounding of multiply-adds alone, which the tests of kernels look at.
 */
export const newEngines = (): Backend[] => [createBackend({ backend: 'js' }), createBackend()]
/** One of each, which tests share that do not count bytes of memory. */
export const allBackends: readonly Backend[] = newEngines()

/** A net with one weight and one bias. */
export const lineNet = (backend: Backend) => new Sequential([new Dense(1, 1)], { seed: 1, backend })

/** 40 points of y = 3x − 1, targets as a flat list. */
export const linePoints = Array.from({ length: 40 }, (_, i) => [i / 20 - 1])
export const lineTargets = linePoints.map(([x]) => 3 * x - 1)

/** 2-3-1 in JavaScript, and three rows for it in nested arrays. */
const backend = createBackend({ backend: 'js' })
export const netOfTwo = () => new Sequential([new Dense(2, 3), new Dense(3, 1)], { backend })
export const threeRows = {
  inputs: [
    [1, 2],
    [3, 4],
    [5, 6],
  ],
  targets: [[1], [2], [3]],
  loss: mse,
}

/** 2-3-outputs in JavaScript, and options of fit for four rows with the targets 0, 1, 1, 0. */
export const netOfOutputs = (outputs = 1) => new Sequential([new Dense(2, 3), new Dense(3, outputs)], { seed: 1, backend })
export const fourInputs = [[0, 1], [1, 0], [1, 1], [0, 0]] // biome-ignore format: rows
export const fourRows = (model: Sequential, more: object = {}) => ({
  ...{ inputs: fourInputs, targets: [0, 1, 1, 0], loss: mse, optimizer: new Adam(model.parameters()), batchSize: 1 },
  ...more,
})
