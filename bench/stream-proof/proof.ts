/**
 * A CSV file that is far larger than memory: a training by `fitStream` stays below 300 MB, reaches at least .8 of the rows a second of the same net on rows
 * in memory, and where it is killed (SIGKILL) in the midst and started again it ends with the same bits. `make stream-proof`, on a quiet machine.
 *
 *   node_modules/node/bin/node --import tsx bench/stream-proof/proof.ts [megabytes, 5000] [neurons of each of two hidden layers, 512]
 *
 * Each training is a process that runs the package in dist/ (`train.mjs`). A tenth of the file is trained first, so that the slope of the memory over rows is
 * seen, then the net in memory. Speeds are told by the clock and by CPU time: a second thread reads the file while the first one learns. The program ends
 * with code 1 where a promise does not hold.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { streamFile } from '../tools/stream-file.js'

const [megabytes = '5000', width = '512'] = process.argv.slice(2)
const MAX_MEGABYTES = 300
const MIN_RATIO = 0.8
/** Rows of a step, and steps between two checkpoints, of `train.mjs`. */
const BATCH = 256
const EVERY = 500

interface Result {
  rows: number
  seconds: number
  cpuSeconds: number
  megabytes: number
  bits: string
}

/** Runs a training in a process of its own. @param killAfter checkpoints after which it is killed @returns null if it was */
function run(what: string, file: string, saved = '', killAfter = Number.POSITIVE_INFINITY): Promise<Result | null> {
  const args = [fileURLToPath(new URL('train.mjs', import.meta.url)), what, file, width, saved]
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
  const small = (await run('stream', start)) as Result
  const memory = (await run('memory', start)) as Result
  const whole = (await run('stream', file)) as Result
  const saved = `.cache/stream-proof-${process.pid}.safetensors`
  try {
    const batches = Math.ceil(whole.rows / BATCH)
    const killed = await run('stream', file, saved, Math.max(1, Math.floor(batches / EVERY / 2)))
    if (killed !== null) throw new Error('the training was over before it was killed; give a larger file')
    const resumed = (await run('stream', file, saved)) as Result
    const speed = ({ rows, seconds }: Result) => rows / seconds
    const ratio = speed(whole) / speed(memory)
    const cpuRatio = (whole.rows / whole.cpuSeconds / memory.rows) * memory.cpuSeconds
    const most = Math.max(small.megabytes, whole.megabytes, resumed.megabytes)
    const slope = (1e6 * (whole.megabytes - small.megabytes)) / (whole.rows - small.rows)
    console.log(`${megabytes} MB, ${whole.rows} rows, hidden layers of ${width}`)
    console.log(
      `peak memory: ${small.megabytes.toFixed(0)} MB for ${small.rows} rows, ${whole.megabytes.toFixed(0)} MB for all (${slope.toFixed(1)} MB for each million more), ${resumed.megabytes.toFixed(0)} MB resumed`,
    )
    console.log(
      `rows a second: ${Math.round(speed(whole))} streamed, ${Math.round(speed(memory))} in memory: ${ratio.toFixed(2)} (by CPU time ${cpuRatio.toFixed(2)})`,
    )
    console.log(
      `killed and resumed: ${resumed.bits === whole.bits ? 'the same bits' : `other bits, ${resumed.bits} and not ${whole.bits}`}`,
    )
    const broken = [
      ...(most > MAX_MEGABYTES ? [`more than ${MAX_MEGABYTES} MB`] : []),
      ...(ratio < MIN_RATIO
        ? [`less than ${MIN_RATIO} of the speed in memory, as of small layers, where reading takes longer than learning`]
        : []),
      ...(resumed.bits === whole.bits ? [] : ['other bits']),
    ]
    if (broken.length === 0) return
    console.error(`not as promised: ${broken.join('; ')}`)
    process.exitCode = 1
  } finally {
    rmSync(saved, { force: true })
  }
}

await prove()
