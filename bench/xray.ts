/**
 * What an X-ray costs, and what it names.
 *
 * `node --import tsx bench/xray.ts cost [W2 …] [--seconds=2] [--rounds=7]`: time of `fit` with an X-ray over time without, on nets of
 * bench/peers/workloads.ts. Trainings take turns, plain, light and full, so that a busy machine slows all of them alike; medians of processor time.
 *
 * `node --import tsx bench/xray.ts reach 1 40 [fault …]`: trainings of test/xray/faults.ts with seeds from 1 below 40 in steps of 2: how often the first
 * verdict names the fault, and how many sound trainings have an alarm. `--missed` lists the others.
 */
import { caseOf, describeCase, FAULTS, run, TITLES } from '../test/xray/faults.js'
import { Adam, crossEntropy, Dense, fit, type Loss, load, mse, Sequential } from '../ts/index.js'
import { XRay } from '../ts/xray/index.js'
import { dataOf, WORKLOADS } from './peers/workloads.js'

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const given = (name: string, otherwise: number) =>
  Number(process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? otherwise)
const [task, ...rest] = words
await load({ backend: 'wasm' })
if (task === 'cost') await cost(rest.length > 0 ? rest : ['W2', 'W3', 'W4', 'W5'])
else if (task === 'reach') await reach(Number(rest[0]), Number(rest[1]), rest.slice(2))
else console.log('say cost or reach; the head of this file has their options')

async function cost(ids: readonly string[]): Promise<void> {
  const [seconds, rounds] = [given('seconds', 2), given('rounds', 7)]
  for (const workload of WORKLOADS.filter(({ id }) => ids.includes(id))) {
    const { id, title, sizes, batch, batches, activation, loss, learningRate } = workload
    const [inputs, y] = dataOf(workload)
    const common = {
      ...{ inputs, shape: [batch * batches, sizes[0]], batchSize: batch, verbose: false },
      ...{ targets: loss === 'mse' ? y : Int32Array.from(y), loss: (loss === 'mse' ? mse : crossEntropy) as Loss },
    }
    const train = async (epochs: number, xray: XRay | null) => {
      const layers = sizes.slice(1).map((n, i) => new Dense(sizes[i], n, i < sizes.length - 2 ? { activation } : {}))
      const model = new Sequential(layers as never, { seed: 1 }) as Sequential
      const optimizer = new Adam(model.parameters(), { learningRate })
      const before = process.cpuUsage()
      await fit(model, { ...common, optimizer, epochs, callbacks: xray === null ? [] : [xray] })
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1e6
    }
    await train(2, null)
    await train(2, new XRay({ level: 'full' }))
    let epochs = 4
    for (let time = 0; time < seconds / 2; epochs = Math.ceil(epochs * Math.min(10, Math.max(1.2, seconds / Math.max(time, 1e-3)))))
      time = await train(epochs, null)
    const shares: Record<'light' | 'full', number[]> = { light: [], full: [] }
    let samples = { light: 0, full: 0 }
    for (let round = 0; round < rounds; round++) {
      const plain = await train(epochs, null)
      for (const level of ['light', 'full'] as const) {
        const xray = new XRay({ level })
        shares[level].push((await train(epochs, xray)) / plain)
        samples = { ...samples, [level]: xray.report.samples.length }
      }
    }
    const percent = (level: 'light' | 'full') => `${level} ${(100 * (median(shares[level]) - 1)).toFixed(1)} % (${samples[level]} samples)`
    console.log(`${id} ${title}, ${epochs} epochs: ${percent('light')}, ${percent('full')}`)
  }
}

async function reach(from: number, to: number, names: readonly string[]): Promise<void> {
  const isListing = process.argv.includes('--missed')
  let [alarms, sound, named, faulty] = [0, 0, 0, 0]
  for (let seed = from; seed < to && (names.length === 0 || names.includes('sound')); seed += 2) {
    for (const k of [0, 1, 2]) {
      const c = caseOf(null, 1000 * seed + k)
      const { verdicts } = await run(c)
      const loud = verdicts.filter(({ severity }) => severity !== 'note')
      sound++
      if (loud.length > 0) alarms++
      if (isListing && loud.length > 0) console.log(`  ${describeCase(c)}: ${loud.map(({ rule, says }) => `${rule} (${says})`).join('; ')}`)
    }
  }
  for (const name of TITLES.filter((title) => names.length === 0 || names.includes(title))) {
    let [hits, runs] = [0, 0]
    for (let seed = from; seed < to; seed += 2) {
      const c = caseOf(name, seed)
      const { verdicts, samples, data } = await run(c)
      runs++
      if (FAULTS[name].rules.includes(verdicts[0]?.rule ?? '')) hits++
      else if (isListing) {
        const left = ((samples.at(-1)?.probeLoss ?? Infinity) / (data?.baseline ?? 1)).toPrecision(3)
        const found = verdicts.map(({ severity, rule }) => `${rule} (${severity})`).join(', ') || 'nothing'
        console.log(`  ${describeCase(c)}: ${found}; left ${left} ${JSON.stringify(verdicts[0]?.figures ?? {})}`)
      }
    }
    named += hits
    faulty += runs
    console.log(`${name.padEnd(22)} ${hits} of ${runs}`)
  }
  console.log(`the first verdict names ${named} of ${faulty} faults, ${((24 * named) / Math.max(1, faulty)).toFixed(1)} of 24`)
  console.log(`alarms in ${alarms} of ${sound} sound trainings`)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}
