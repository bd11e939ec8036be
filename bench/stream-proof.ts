/**
 * A CSV file that is far larger than memory: a training by `fitStream` stays below 300 MB, reaches at least .8 of the rows a second of the same net on rows
 * in memory, and where it is killed (SIGKILL) in the midst and started again it ends with the same bits. `make stream-proof`.
 *
 *   node_modules/node/bin/node --import tsx bench/stream-proof.ts [megabytes, 5000] [neurons of each of two hidden layers, 512]
 *
 * A tenth of the file is trained first, so that the slope of the memory over rows is seen, and beside it the net in memory: speeds are rows by second of CPU
 * time of these two processes. The program ends with code 1 where a promise does not hold.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { encoderFromStream, streamTable } from '../ts/data/index.js'
import { Adam, Checkpoint, crossEntropy, Dense, fit, load, Sequential } from '../ts/index.js'
import { fitStream } from '../ts/stream/index.js'
import { streamFile } from './tools/stream-file.js'

const [megabytes = '5000', width = '512', mode, file = '', saved = ''] = process.argv.slice(2)
const MAX_MEGABYTES = 300
const MIN_RATIO = 0.8
const BATCH = 256
/** Rows of the encoder, and of the net in memory. */
const ROWS = 1 << 17
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

async function train(): Promise<void> {
  await load({ reproducible: true })
  const encoder = await encoderFromStream(start(), { target: 'kind', scale: 'standard', missing: 'auto' })
  const size = Number(width)
  const relu = { activation: 'relu' } as const
  const model = new Sequential([new Dense(encoder.features, size, relu), new Dense(size, size, relu), new Dense(size, 3)] as const, {
    seed: 1,
  })
  const training = { loss: crossEntropy, optimizer: new Adam(model.parameters()), batchSize: BATCH }
  let [rows, seconds] = [0, 0]
  if (mode === 'memory') {
    const all: object[] = []
    for await (const part of start()) all.push(...part)
    const data = encoder.dataset(all)
    await fit(model, { ...data, ...training })
    const began = cpu()
    await fit(model, { ...data, ...training })
    ;[rows, seconds] = [data.count, cpu() - began]
  } else {
    const checkpoint = saved === '' ? undefined : new Checkpoint(saved, { every: { steps: EVERY } })
    const tell = { onBatchSaved: () => void process.stdout.write('saved\n') }
    const began = cpu()
    const history = await fitStream(model, {
      ...{ data: () => streamTable(file), encoder, ...training },
      ...(checkpoint && { callbacks: [checkpoint, tell], resume: checkpoint }),
    })
    ;[rows, seconds] = [history.rows, cpu() - began]
  }
  const hash = createHash('sha256')
  for (const values of Object.values(model.state())) hash.update(values)
  const bits = hash.digest('hex').slice(0, 16)
  console.log(JSON.stringify({ rows, seconds, megabytes: process.resourceUsage().maxRSS / 1024, bits }))
}

interface Result {
  rows: number
  seconds: number
  megabytes: number
  bits: string
}

/** Runs a training in a process of its own. @param killAfter checkpoints after which it is killed @returns null if it was */
function run(what: string, file: string, saved = '', killAfter = Number.POSITIVE_INFINITY): Promise<Result | null> {
  const args = ['--import', 'tsx', fileURLToPath(import.meta.url), megabytes, width, what, file, saved]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let text = ''
    let saves = 0
    child.stdout.on('data', (part: Buffer) => {
      text += part
      saves += String(part).split('saved\n').length - 1
      if (saves >= killAfter) child.kill('SIGKILL')
    })
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(null)
      else if (code === 0) resolve(JSON.parse(text.trim().split('\n').at(-1) as string) as Result)
      else reject(new Error(`the training ended with code ${code}`))
    })
  })
}

async function prove(): Promise<void> {
  const file = await streamFile(Number(megabytes))
  const start = await streamFile(Number(megabytes) / 10)
  // side by side, so that other work on the machine slows both
  const [small, memory] = (await Promise.all([run('stream', start), run('memory', start)])) as [Result, Result]
  const whole = (await run('stream', file)) as Result
  const saved = `.cache/stream-proof-${process.pid}.safetensors`
  try {
    const batches = Math.ceil(whole.rows / BATCH)
    const killed = await run('stream', file, saved, Math.max(1, Math.floor(batches / EVERY / 2)))
    if (killed !== null) throw new Error('the training was over before it was killed; give a larger file')
    const resumed = (await run('stream', file, saved)) as Result
    const speed = ({ rows, seconds }: Result) => rows / seconds
    const ratio = speed(small) / speed(memory)
    const most = Math.max(small.megabytes, whole.megabytes, resumed.megabytes)
    const slope = (1e6 * (whole.megabytes - small.megabytes)) / (whole.rows - small.rows)
    console.log(`${megabytes} MB, ${whole.rows} rows, hidden layers of ${width}`)
    console.log(
      `peak memory: ${small.megabytes.toFixed(0)} MB for ${small.rows} rows, ${whole.megabytes.toFixed(0)} MB for all (${slope.toFixed(1)} MB for each million more), ${resumed.megabytes.toFixed(0)} MB resumed`,
    )
    console.log(`rows by second of CPU: ${Math.round(speed(small))} streamed, ${Math.round(speed(memory))} in memory: ${ratio.toFixed(2)}`)
    console.log(
      `killed and resumed: ${resumed.bits === whole.bits ? 'the same bits' : `other bits, ${resumed.bits} and not ${whole.bits}`}`,
    )
    if (most > MAX_MEGABYTES || ratio < MIN_RATIO || resumed.bits !== whole.bits) process.exitCode = 1
  } finally {
    rmSync(saved, { force: true })
  }
}

if (mode === undefined) await prove()
else await train()
