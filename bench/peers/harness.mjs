/**
 * One contestant on one workload, in a process of its own: `node harness.mjs CONTESTANT WORKLOAD [OPTION …]`, in .cache/peers.
 * Prints one line of JSON. contestants/*.mjs export `title()` for versions and `create(task)`, which gives
 * { run(epochs), loss(), accuracy()? } for nets, or { step(), drift() } for an optimizer alone; each may be asynchronous.
 */
import { readFileSync } from 'node:fs'

const [name, id, ...options] = process.argv.slice(2)
const { create, versions } = await import(`./contestants/${name}.mjs`)
const spec = JSON.parse(readFileSync(`data/${id}.json`, 'utf8'))

/** Seconds of the longest preparation, the number of windows and the seconds of each. */
const PATIENCE = 6
const WINDOWS = 7
const WINDOW = 0.3
/** The loss that counts as learned, as a share of the first one. */
const LEARNED = 0.5
const MAX_EPOCHS = 400

const seconds = () => performance.now() / 1000
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1]

/** Inputs, targets and the weights of one start. */
function readTask(start = 0) {
  const file = readFileSync(`data/${id}.bin`)
  const floats = new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength))
  const { sizes, batch, batches } = spec
  let at = 0
  const take = (n) => floats.slice(at, (at += n))
  const count = batch * batches
  const [x, y] = [take(count * sizes[0]), take(count * (spec.loss === 'mse' ? sizes.at(-1) : 1))]
  const layers = sizes.slice(1).map((n, i) => sizes[i] * n)
  at += start * layers.reduce((a, b) => a + b, 0)
  return { ...spec, count, x, y, weights: layers.map(take), options }
}

/** Trains until the loss over all rows has halved, or patience ends. */
async function learn(net) {
  const first = await net.loss()
  const started = seconds()
  let epochs = 0
  let last = first
  while (epochs < 2 || (!(last < LEARNED * first) && seconds() - started < PATIENCE && epochs < MAX_EPOCHS)) {
    await net.run(1)
    epochs++
    last = await net.loss()
  }
  // a step of many seconds is not repeated: such a net must only improve on its start
  const slow = (seconds() - started) / epochs > PATIENCE / 4
  return { first, last, epochs, learned: last < (slow ? 1 : LEARNED) * first, perEpoch: (seconds() - started) / epochs }
}

async function measureSteps() {
  const net = await create(readTask())
  const { perEpoch, ...learning } = await learn(net)
  const windows = perEpoch > 1 ? 2 : WINDOWS
  let epochs = Math.max(1, Math.round(WINDOW / perEpoch))
  const speeds = []
  for (let i = -1; i < windows; i++) {
    const started = seconds()
    await net.run(epochs)
    const elapsed = seconds() - started
    if (i >= 0) speeds.push((epochs * spec.batches) / elapsed)
    else epochs = Math.max(1, Math.round((epochs * WINDOW) / elapsed))
  }
  return { best: Math.max(...speeds), median: median(speeds), ...learning }
}

/** Nanoseconds a parameter. */
async function measureUpdate() {
  const n = spec.sizes[0]
  const optimizer = await create({ ...spec, options })
  const times = []
  for (let i = 0; i < 25; i++) {
    const started = seconds()
    await optimizer.step()
    if (i > 2) times.push(((seconds() - started) * 1e9) / n)
    if (seconds() - started > 2 && i > 4) break
  }
  const drift = await optimizer.drift()
  return { best: Math.min(...times), median: median(times), learned: drift < 0, drift }
}

/** Milliseconds from the new net until the accuracy is reached, measured after each epoch on all rows, once for each start. */
async function measureReach() {
  const times = []
  const epochs = []
  const starts = options.includes('once') ? 1 : spec.starts
  for (let start = 0; start < starts; start++) {
    const net = await create(readTask(start))
    const started = seconds()
    const took = net.reach ? await net.reach(0.97, MAX_EPOCHS) : await reach(net)
    times.push((seconds() - started) * 1000)
    epochs.push(took)
  }
  return { best: Math.min(...times), median: median(times), learned: epochs.every((n) => n < MAX_EPOCHS), epochs }
}

async function reach(net) {
  let epochs = 0
  while (epochs < MAX_EPOCHS) {
    await net.run(1)
    epochs++
    if ((await net.accuracy()) >= 0.97) break
  }
  return epochs
}

const measure = { steps: measureSteps, update: measureUpdate, reach: measureReach }[spec.kind]
console.log(JSON.stringify({ ...(await measure()), versions: { node: process.versions.node, ...versions } }))
process.exit(0)
