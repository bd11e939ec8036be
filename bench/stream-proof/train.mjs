/**
 * A training by the package in dist/, as users have it, for `proof.ts`: prints its rows, seconds by the clock and of CPU time, peak memory and
 * the hash of its weights.
 *
 *   node bench/stream-proof/train.mjs stream|memory FILE WIDTH [CHECKPOINT]
 */
import { createHash } from 'node:crypto'
import { Adam, Checkpoint, crossEntropy, Dense, fit, load, Sequential } from 'gradus'
import { encoderFromStream, streamTable } from 'gradus/data'
import { fitStream } from 'gradus/stream'

const [mode, file, width, saved = ''] = process.argv.slice(2)
const BATCH = 256
/** Rows of the encoder, and of the net in memory. */
const ROWS = 1 << 17
/** Epochs of the net in memory, so that its time is long enough to be measured. */
const EPOCHS = 8
/** Steps between two checkpoints. */
const EVERY = 500

const cpu = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** The first rows of the file. */
async function* start() {
  let count = 0
  for await (const part of streamTable(file)) {
    yield part
    if ((count += part.length) >= ROWS) return
  }
}

await load({ reproducible: true })
const encoder = await encoderFromStream(start(), { target: 'kind', scale: 'standard', missing: 'auto' })
const size = Number(width)
const model = new Sequential(
  [new Dense(encoder.features, size, { activation: 'relu' }), new Dense(size, size, { activation: 'relu' }), new Dense(size, 3)],
  { seed: 1 },
)
const training = { loss: crossEntropy, optimizer: new Adam(model.parameters()), batchSize: BATCH }
let rows = 0
let began = 0
let beganCpu = 0
const begin = () => {
  began = performance.now()
  beganCpu = cpu()
}
if (mode === 'memory') {
  const all = []
  for await (const part of start()) all.push(...part)
  const data = encoder.dataset(all)
  await fit(model, { ...data, ...training })
  begin()
  await fit(model, { ...data, ...training, epochs: EPOCHS })
  rows = EPOCHS * data.count
} else {
  const checkpoint = saved === '' ? undefined : new Checkpoint(saved, { every: { steps: EVERY } })
  const tell = { onBatchSaved: () => void process.stdout.write('saved\n') }
  begin()
  const history = await fitStream(model, {
    ...{ data: () => streamTable(file), encoder, ...training },
    ...(checkpoint && { callbacks: [checkpoint, tell], resume: checkpoint }),
  })
  rows = history.rows
}
const seconds = (performance.now() - began) / 1e3
const cpuSeconds = cpu() - beganCpu
const hash = createHash('sha256')
for (const values of Object.values(model.state())) hash.update(values)
const bits = hash.digest('hex').slice(0, 16)
console.log(JSON.stringify({ rows, seconds, cpuSeconds, megabytes: process.resourceUsage().maxRSS / 1024, bits }))
