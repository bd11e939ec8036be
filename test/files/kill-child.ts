/**
 * Trains and saves after each batch until it is killed; an epoch has three batches, and the last is smaller. Started again, it resumes. `kills.ts`
 * bundles and runs it. It prints the number of the step after each file that is on the disk.
 */
import { Adam, Checkpoint, Dense, EarlyStopping, fit, load, mse, Sequential } from '../../ts/index.js'

const [file, epochs] = process.argv.slice(2)
await load({ reproducible: true })
const model = new Sequential([new Dense(4, 64, { activation: 'tanh' }), new Dense(64, 64, { activation: 'tanh' }), new Dense(64, 1)], {
  seed: 1,
})
const inputs = Array.from({ length: 64 }, (_, i) => [0, 1, 2, 3].map((j) => Math.sin(i * 0.37 + j)))
const targets = inputs.map(([a, b, c]) => [a * b - c])
const checkpoint = new Checkpoint(file, { every: { steps: 1 }, keep: 3 })
const tellStep = ({ step }: { step: number }) => void process.stdout.write(`${step}\n`)
const tell = { onBatchSaved: tellStep, onEpochSaved: tellStep }
await fit(model, {
  inputs,
  targets,
  loss: mse,
  optimizer: new Adam(model.parameters()),
  batchSize: 24,
  epochs: Number(epochs),
  callbacks: [new EarlyStopping({ monitor: 'loss', patience: 1_000_000 }), checkpoint, tell],
  resume: checkpoint,
})
process.stdout.write('over\n')
