/**
 * Heads: time and accuracy.
 *
 *     node --import tsx bench/head.ts time      from import to the first head in a new process (needs dist/), one example more, one prediction
 *     node --import tsx bench/head.ts large     100,000 vectors of 768 numbers, 10 classes
 *     node --import tsx bench/head.ts real      accuracy on real sets beside scikit-learn's LogisticRegressionCV, on the same five parts, or of the sets
 *                                               that are named, and the paired difference
 *
 * The real sets are made by bench/head/embed.py and bench/head/emoji.mjs, whose heads say how, and judged by bench/head/sklearn_cv.py. Wall-clock times are the least of several
 * runs, with CPU times next to them, for machines that do other work.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { RandomStream } from '../ts/common/random-stream.js'
import { trainHead } from '../ts/head/index.js'

const SETS = '.cache/head'
const PARTS = 5

/** Clouds of unit vectors, about as far apart as topics of news are in an embedding. */
function clouds(count: number, width: number, classes: number, spread = 2) {
  const random = new RandomStream(1)
  const centers = Array.from({ length: classes }, () => Float32Array.from({ length: width }, () => random.normal()))
  const data = new Float32Array(count * width)
  for (let i = 0; i < count; i++) {
    const own = data.subarray(i * width, (i + 1) * width)
    let squares = 0
    for (let j = 0; j < width; j++) squares += (own[j] = centers[i % classes][j] / spread + random.uniform() * 4 - 2) ** 2
    for (let j = 0; j < width; j++) own[j] /= Math.sqrt(squares)
  }
  return { vectors: { data, dims: [count, width] }, labels: Array.from({ length: count }, (_, i) => `class ${i % classes}`) }
}

const cpu = (from?: NodeJS.CpuUsage) => {
  const { user, system } = process.cpuUsage(from)
  return (user + system) / 1000
}

/** A program for a new process: data are made before the clock starts. */
const COLD = `
const [count, width, classes] = [1000, 384, 10]
let state = 1
const uniform = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
const centers = Array.from({ length: classes }, () => Float32Array.from({ length: width }, () => uniform() * 2 - 1))
const vectors = Array.from({ length: count }, (_, i) => {
  const v = Float32Array.from({ length: width }, (_, j) => centers[i % classes][j] * 0.6 + uniform() * 4 - 2)
  const length = Math.hypot(...v)
  return v.map((x) => x / length)
})
const labels = vectors.map((_, i) => 'class ' + (i % classes))
const [start, used, own] = [performance.now(), process.cpuUsage(), process.threadCpuUsage()]
const { trainHead } = await import(process.argv[1])
const imported = performance.now() - start
const head = await trainHead(vectors, labels)
head.predict(vectors[0])
const [cpu, thread] = [process.cpuUsage(used), process.threadCpuUsage(own)].map(({ user, system }) => (user + system) / 1000)
console.log(JSON.stringify({ imported, whole: performance.now() - start, cpu, thread, report: head.report }))
`

async function time(): Promise<void> {
  const runs = Array.from({ length: 7 }, () =>
    JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', COLD, path.resolve(process.env.HEAD ?? 'dist/head.js')], {
        encoding: 'utf8',
      }),
    ),
  )
  const least = (key: string) => Math.min(...runs.map((run) => run[key])).toFixed(0)
  const { tried, accuracy } = runs[0].report
  console.log(
    `1,000 × 384, 10 classes, new process: ${least('whole')} ms (${least('cpu')} ms CPU, ${least('thread')} of its own thread), of which import ${least('imported')}`,
  )
  console.log(`  ${tried.length} penalties tried, held-out accuracy ${accuracy}`)
  // the first thousand are learnt, and others added
  const all = clouds(1080, 384, 10)
  const vectors = { data: all.vectors.data.subarray(0, 1000 * 384), dims: [1000, 384] }
  const labels = all.labels.slice(0, 1000)
  const next = (i: number) => all.vectors.data.subarray((1000 + i) * 384, (1001 + i) * 384)
  const row = (i: number) => vectors.data.subarray(i * 384, (i + 1) * 384)
  const warm = []
  for (let i = 0; i < 5; i++) {
    const [start, used] = [performance.now(), process.cpuUsage()]
    await trainHead(vectors, labels)
    warm.push([performance.now() - start, cpu(used)])
  }
  console.log(
    `again in the same process: ${Math.min(...warm.map(([ms]) => ms)).toFixed(0)} ms (${Math.min(...warm.map(([, ms]) => ms)).toFixed(0)} ms CPU)`,
  )
  const head = await trainHead<string>(vectors, labels)
  const timed = (times: number, call: (i: number) => unknown) => {
    const runs = Array.from({ length: 8 }, (_, run) => {
      const [start, used] = [performance.now(), process.cpuUsage()]
      for (let i = 0; i < times; i++) call(run * times + i)
      return [(performance.now() - start) / times, cpu(used) / times]
    })
    return [0, 1].map((which) => Math.min(...runs.map((run) => run[which])))
  }
  const [added, addedCpu] = timed(10, (i) => head.add(next(i), all.labels[1000 + i]))
  console.log(`one example more: ${added.toFixed(1)} ms (${addedCpu.toFixed(1)} ms CPU)`)
  const [against, againstCpu] = timed(10, (i) => head.add(row(i), labels[i + 1]))
  console.log(`one more that contradicts another: ${against.toFixed(1)} ms (${againstCpu.toFixed(1)} ms CPU)`)
  const [predicted, predictedCpu] = timed(10_000, (i) => head.predict(row(i % 1000)))
  console.log(`one prediction: ${(1000 * predicted).toFixed(1)} µs (${(1000 * predictedCpu).toFixed(1)} µs CPU)`)
}

async function large(): Promise<void> {
  const { vectors, labels } = clouds(100_000, 768, 10, 5)
  const [start, used] = [performance.now(), process.cpuUsage()]
  const head = await trainHead<string>(vectors, labels)
  console.log(`100,000 × 768, 10 classes: ${((performance.now() - start) / 1000).toFixed(1)} s (${(cpu(used) / 1000).toFixed(1)} s CPU)`)
  console.log(`  ${JSON.stringify(head.report)}`)
}

/** The part of a row: the same numbers in bench/head/sklearn_cv.py. */
const partOf = (row: number) => (Math.imul(row, 0x9e3779b1) >>> 16) % PARTS

async function real(): Promise<void> {
  const named = process.argv.slice(3)
  const names = named.length > 0 ? named : readdirSync(SETS).flatMap((file) => /^(.*)\.f32$/.exec(file)?.[1] ?? [])
  for (const name of names) {
    const { count, width, labels } = JSON.parse(readFileSync(path.join(SETS, `${name}.json`), 'utf8'))
    const bytes = new Uint8Array(readFileSync(path.join(SETS, `${name}.f32`)))
    const data = new Float32Array(bytes.buffer)
    const row = (i: number) => data.subarray(i * width, (i + 1) * width)
    const [right, losses] = [new Float64Array(count), new Float64Array(count)]
    let [none, spent, nets] = [0, 0, 0]
    for (let part = 0; part < PARTS; part++) {
      const rows = Array.from({ length: count }, (_, i) => i)
      const [train, test] = [rows.filter((i) => partOf(i) !== part), rows.filter((i) => partOf(i) === part)]
      const used = process.cpuUsage()
      const head = await trainHead<string>(
        train.map(row),
        train.map((i) => labels[i]),
      )
      spent += cpu(used)
      nets += head.hidden.length
      for (const i of test) {
        const { label, probabilities, isNone } = head.predict(row(i))
        right[i] = Number(label === labels[i])
        losses[i] = -Math.log(Math.max(probabilities[labels[i]], 1e-15))
        none += Number(isNone)
      }
    }
    const file = path.join(SETS, `${name}.sklearn.json`)
    const other = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
    const shown = (right: ArrayLike<number>, losses: ArrayLike<number>) =>
      `${(100 * meanOf(right)).toFixed(2)} %, log loss ${meanOf(losses).toFixed(4)}`
    console.log(`${name} (${count} × ${width}, ${new Set(labels).size} classes)`)
    console.log(
      `  gradus:       ${shown(right, losses)}; ${(spent / PARTS).toFixed(0)} ms CPU; isNone ${((100 * none) / count).toFixed(1)} %; a hidden layer in ${nets} of ${PARTS}`,
    )
    if (!other) continue
    console.log(
      `  scikit-learn: ${shown(other.right, other.losses)}; ${other.cpu.toFixed(0)} ms CPU${other.wide ? '; three penalties' : ''}`,
    )
    const difference = (own: ArrayLike<number>, its: ArrayLike<number>, factor: number, digits: number) => {
      const each = Array.from(own, (x, i) => factor * (x - its[i]))
      const mean = meanOf(each)
      const error = 1.96 * Math.sqrt(each.reduce((sum, d) => sum + (d - mean) ** 2, 0) / count ** 2)
      return `${mean.toFixed(digits)} (95 %: ${(mean - error).toFixed(digits)} to ${(mean + error).toFixed(digits)})`
    }
    console.log(
      `  difference, by rows: accuracy ${difference(right, other.right, 100, 2)} points, log loss ${difference(losses, other.losses, 1, 4)}`,
    )
  }
}

const meanOf = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length

const tasks = { time, large, real }
await tasks[process.argv[2] as keyof typeof tasks]()
