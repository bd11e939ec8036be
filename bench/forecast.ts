/**
 * Forecasts: errors beside those of others on public series, coverage of bands, and time.
 *
 *     node --import tsx bench/forecast.ts errors    sets of bench/forecast/sets.py, three windows each, beside .cache/forecast/peers/*.json
 *     node --import tsx bench/forecast.ts time      1,000 series of 120 values, horizon 12
 *
 * `errors` takes names of sets behind it; of all sets, it writes bench/results/forecast.json. peers.py and arima.mjs in bench/forecast write the forecasts of
 * contestants; of those that were not run here, the committed errors stay. Times are CPU times of this process.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { RandomStream } from '../ts/common/random-stream.js'
import { load } from '../ts/index.js'
import { MODELS } from '../ts/series/ensemble.js'
import { forecast } from '../ts/series/index.js'
import { errorsOf, type Judged, scalesOf } from '../ts/series/measures.js'
import { origin } from './results.js'
import { wilcoxon } from './tune/wilcoxon.js'

const FOLDER = '.cache/forecast'
const RESULTS = 'bench/results/forecast.json'
/** Forecast windows, one after another, at the end of each series. */
const WINDOWS = 3
const COVERAGE = 0.8

interface SeriesOfSet {
  name: string
  season: number
  horizon: number
  series: number[][]
}
type Peer = Record<string, { windows: (number[] | null)[][]; seconds: number }>

const cpu = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6
const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length

const isContestant = (who: string) => !['gradus', 'coverage', ...MODELS].includes(who)

/** MASE of forecasts of a series from an origin. */
function maseOf(values: number[], origin: number, season: number, ahead: readonly Judged[]) {
  return errorsOf(ahead, scalesOf(Float64Array.from(values), new Uint8Array(values.length), season, origin), COVERAGE)
}

async function errors(names: readonly string[]): Promise<void> {
  const sets = (JSON.parse(readFileSync(`${FOLDER}/sets.json`, 'utf8')) as SeriesOfSet[]).filter(
    ({ name }) => names.length === 0 || names.includes(name),
  )
  const files = existsSync(`${FOLDER}/peers`) ? readdirSync(`${FOLDER}/peers`) : []
  const peers = files.map(
    (file) => [file.replace('.json', ''), JSON.parse(readFileSync(`${FOLDER}/peers/${file}`, 'utf8')) as Peer] as const,
  )
  const { mase: committed } = JSON.parse(readFileSync(RESULTS, 'utf8')) as { mase: Record<string, Record<string, number>> }
  const results: Record<string, Record<string, number>> = {}
  const covered: number[] = []
  for (const { name, season, horizon, series } of sets) {
    const line: Record<string, number[]> = {}
    const began = cpu()
    for (let w = WINDOWS; w >= 1; w--) {
      const rows = series.flatMap((values, s) => values.slice(0, values.length - w * horizon).map((y, t) => ({ s, t, y })))
      const model = await forecast(rows, { time: 't', value: 'y', by: 's', season, horizon, coverage: COVERAGE })
      for (const [s, values] of series.entries()) {
        const origin = values.length - w * horizon
        const judged = (ahead: readonly number[], low = ahead, high = ahead) =>
          ahead.map((f, h): Judged => [values[origin + h], f, low[h], high[h]])
        const own = model.forecasts.slice(s * horizon, (s + 1) * horizon)
        const found = maseOf(
          values,
          origin,
          season,
          judged(...((['value', 'low', 'high'] as const).map((end) => own.map((point) => point[end])) as [number[], number[], number[]])),
        )
        covered.push(found.coverage)
        ;(line.gradus ??= []).push(found.mase)
        ;(line.coverage ??= []).push(found.coverage)
        for (const each of MODELS) {
          const alone = model.alone(each)[s]
          if (alone.every(Number.isFinite)) (line[each] ??= []).push(maseOf(values, origin, season, judged([...alone])).mase)
        }
        for (const [other, its] of peers) {
          const ahead = its[name]?.windows[WINDOWS - w][s]
          if (ahead) (line[other] ??= []).push(maseOf(values, origin, season, judged(ahead)).mase)
        }
      }
    }
    const earlier = Object.entries(committed[name] ?? {}).filter(([who]) => isContestant(who) && !peers.some(([peer]) => peer === who))
    const measured = Object.entries(line).map(([who, list]) => [who, Number(mean(list).toFixed(4))] as const)
    results[name] = Object.fromEntries([...measured, ...earlier])
    const cells = Object.entries(results[name]).map(([who, mase]) => `${who} ${mase.toFixed(3)}`)
    console.log(`${name.padEnd(16)} ${(cpu() - began).toFixed(1)} s  ${cells.join('  ')}`)
  }
  console.log('\non the sets of each: mean of the MASE over sets, its geometric mean, both of gradus on these sets')
  const contestants = [...new Set(Object.values(results).flatMap((line) => Object.keys(line)))].filter(isContestant)
  const others = [...MODELS, ...contestants].map((who) => {
    const both = Object.values(results).flatMap(({ gradus, [who]: other }): [number, number][] =>
      other === undefined ? [] : [[gradus, other]],
    )
    const [own, its] = [0, 1].map((i) => both.map((pair) => pair[i]))
    const geometric = (list: number[]) => Math.exp(mean(list.map(Math.log)))
    const better = both.filter(([a, b]) => a < b).length
    const p = Number(wilcoxon(both.map(([a, b]) => Math.log(a / b))).toPrecision(2))
    const means = [mean(its), geometric(its), mean(own), geometric(own)].map((x) => Number(x.toFixed(4)))
    console.log(
      `  ${who.padEnd(10)} ${means.map((x) => x.toFixed(3)).join(' ')}  gradus is better on ${better} of ${both.length}, p = ${p} (Wilcoxon)`,
    )
    return [who, { sets: both.length, better, p, mean: means[0], geometric: means[1], ofGradus: { mean: means[2], geometric: means[3] } }]
  })
  if (names.length === 0)
    writeFileSync(
      RESULTS,
      `${JSON.stringify({ ...origin(), coverage: mean(covered), others: Object.fromEntries(others), mase: results }, null, 1)}\n`,
    )
  console.log(`  coverage of the ${100 * COVERAGE} % band: ${(100 * mean(covered)).toFixed(1)} %`)
}

/** Monthly series with a trend, a season and noise. */
async function time(): Promise<void> {
  const random = new RandomStream(1)
  const rows = Array.from({ length: 1000 }, (_, s) => {
    const [level, slope, size, noise] = [50 + 100 * random.uniform(), random.normal(), 20 * random.uniform(), 2 + 5 * random.uniform()]
    return Array.from({ length: 120 }, (_, t) => ({
      s,
      t,
      y: level + slope * t + size * Math.sin((t * Math.PI) / 6 + s) + noise * random.normal(),
    }))
  }).flat()
  const [began, cpuBegan] = [performance.now(), cpu()]
  const model = await forecast(rows, { time: 't', value: 'y', by: 's', season: 12, horizon: 12 })
  console.log(
    `1,000 series of 120 values, horizon 12: ${((performance.now() - began) / 1000).toFixed(1)} s, ${(cpu() - cpuBegan).toFixed(1)} CPU seconds`,
  )
  console.log(JSON.stringify(model.report.errors.ensemble), JSON.stringify(model.report.models))
}

await load()
const [what = 'errors', ...names] = process.argv.slice(2)
await (what === 'time' ? time() : errors(names))
