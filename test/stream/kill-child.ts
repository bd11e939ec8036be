/**
 * Trains on a stream and saves after each batch until it is killed; an epoch has three batches in two windows, and the last batch is smaller. Started
 * again, it resumes. `test/tools/kills.ts` bundles and runs it. It prints the number of the step after each file that is on the disk.
 */
import { Adam, Checkpoint, Dense, load, mse, Sequential } from '../../ts/index.js'
import { fitStream } from '../../ts/stream/index.js'

const [file, epochs] = process.argv.slice(2)
await load({ reproducible: true })
const model = new Sequential([new Dense(4, 64, { activation: 'tanh' }), new Dense(64, 64, { activation: 'tanh' }), new Dense(64, 1)], {
  seed: 1,
})
const data = async function* () {
  for (let i = 0; i < 64; i++) {
    const [a, b, c, d] = [0, 1, 2, 3].map((j) => Math.sin(i * 0.37 + j))
    yield { inputs: [a, b, c, d], targets: a * b - c }
  }
}
const checkpoint = new Checkpoint(file, { every: { steps: 1 }, keep: 3 })
const tellStep = ({ step }: { step: number }) => void process.stdout.write(`${step}\n`)
const tell = { onBatchSaved: tellStep, onEpochSaved: tellStep }
await fitStream(model, {
  data,
  loss: mse,
  optimizer: new Adam(model.parameters()),
  batchSize: 24,
  window: 48,
  epochs: Number(epochs),
  callbacks: [checkpoint, tell],
  resume: checkpoint,
})
process.stdout.write('over\n')
