/** The models of the files in this folder, and the inputs of their expected outputs. */
import {
  Activation,
  AdamW,
  BatchNorm,
  Dense,
  Dropout,
  type FitOptions,
  Flatten,
  LayerNorm,
  mse,
  Sequential,
  schedules,
} from '../../../ts/index.js'

export const INPUTS = [
  [1, -2, 0.5],
  [0.1, 0.3, -1],
  [-1.5, 0.7, 2],
  [0, 4, -0.25],
]

/** Inputs of the ensemble: two rows of five words each. */
export const WORDS = [
  [0, 4],
  [2, 1],
]

/** A complete row, a row with gaps, and a row with an unknown island. */
export const PENGUINS = [
  { island: 'Biscoe', bill_length_mm: 47, bill_depth_mm: '14.5', flipper_length_mm: 218, body_mass_g: 5100, sex: 'female' },
  { island: 'Dream', bill_length_mm: 'NA', flipper_length_mm: 190 },
  { island: 'Elsewhere', bill_length_mm: 39, bill_depth_mm: 19, flipper_length_mm: 188, body_mass_g: 3600, sex: 'male' },
]

/** A model of every layer that takes numbers. */
export function everyLayer() {
  const inner = new Sequential([new Dense(6, 4, { activation: 'silu' }), new LayerNorm(4, { epsilon: 1e-3 })])
  return new Sequential(
    [
      new Dense(3, 6, { activation: 'tanh', bias: false }),
      new BatchNorm(6, { momentum: 0.3, epsilon: 1e-4 }),
      new Activation('gelu'),
      new Dropout(0.25),
      inner,
      new Flatten(),
      new Dense(4, 1),
    ],
    { seed: 1 },
  )
}

/** A training whose checkpoint is from the end of the third epoch. Dropout, order of rows and schedule continue when it is resumed. */
export function training() {
  const model = new Sequential([new Dense(3, 8, { activation: 'tanh' }), new Dropout(0.1), new Dense(8, 1)], { seed: 4 })
  const optimizer = new AdamW(model.parameters(), { learningRate: 0.02 })
  const options = {
    inputs: INPUTS,
    targets: INPUTS.map(([a, b]) => [a * b]),
    loss: mse,
    optimizer,
    batchSize: 2,
    seed: 6,
    schedule: schedules.cosine(0.02, { steps: 14 }),
    validation: { inputs: INPUTS, targets: INPUTS.map(([a, , c]) => [a * c]) },
  } satisfies Omit<FitOptions, 'epochs'>
  return { model, options }
}
