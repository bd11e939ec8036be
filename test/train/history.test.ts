/** The history of a training: validation figures have one shape and one name wherever they are seen. */
import { expect, test } from 'vitest'
import { Adam, crossEntropy, Dense, EarlyStopping, fit, type Progress, Sequential } from '../../ts/index.js'
import { monitored } from '../../ts/train/best-value.js'

const inputs = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
const classes = Int32Array.from(inputs, ([a, b]) => (a > b ? 1 : 0))
const net = (outputs = 1) => new Sequential([new Dense(2, 8, { activation: 'tanh' }), new Dense(8, outputs)], { seed: 3 })

test('validation figures have one shape and one name: in callbacks, the history and what is monitored', async () => {
  const model = net(2)
  const seen: Progress['validation'][] = []
  const stopping = new EarlyStopping({ monitor: 'validation.accuracy', patience: 50 })
  const callbacks = [stopping, { onEpochEnd: ({ validation }: Progress) => void seen.push(validation) }]
  const optimizer = new Adam(model.parameters(), { learningRate: 0.01 })
  const options = { inputs, targets: classes, loss: crossEntropy, optimizer, epochs: 3, metrics: ['accuracy'] as const }
  const { epochs } = await fit(model, { ...options, validationFraction: 0.25, callbacks })
  expect(epochs.map(({ validation }) => validation)).toEqual(seen)
  expect(Object.keys(seen[0] ?? {})).toEqual(['loss', 'accuracy'])
  expect(stopping.bestValue).toBe(Math.max(...seen.map((validation) => validation?.accuracy ?? 0)))
  // Keras' name for it
  await fit(model, { ...options, validationFraction: 0.25, callbacks: [new EarlyStopping({ monitor: 'valLoss' })] })
  const missing = fit(model, { ...options, callbacks: [new EarlyStopping()] })
  await expect(missing).rejects.toThrow("there is no 'validation.loss' to watch, only loss, accuracy; give fit validation data")
})

test.each([
  ['val_loss', "loss, accuracy, validation.loss, validation.accuracy; did you mean 'validation.loss'?"],
  ['valAccuracy', "loss, accuracy, validation.loss, validation.accuracy; did you mean 'validation.accuracy'?"],
  ['validation_loss', "loss, accuracy, validation.loss, validation.accuracy; did you mean 'validation.loss'?"],
  ['validation.acuracy', "loss, accuracy, validation.loss, validation.accuracy; did you mean 'validation.accuracy'?"],
])('what cannot be watched names what was meant: %s', (name, text) => {
  const progress = { loss: 1, metrics: { accuracy: 1 }, validation: { loss: 1, accuracy: 1 } } as unknown as Progress
  expect(() => monitored(progress, name, 'EarlyStopping')).toThrow(`EarlyStopping: there is no '${name}' to watch, only ${text}`)
  expect(() => monitored({ ...progress, validation: undefined } as Progress, name, 'EarlyStopping')).toThrow(
    'only loss, accuracy; give fit validation data or a validationFraction',
  )
})
