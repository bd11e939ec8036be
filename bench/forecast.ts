/**
 * Forecasts: errors beside statsforecast's on public series, coverage of bands, and time.
 *
 *     node --import tsx bench/forecast.ts errors    sets of bench/forecast/sets.py, three windows each, beside .cache/forecast/peers.json if it is there
 *     node --import tsx bench/forecast.ts time      1,000 series of 120 values, horizon 12
 *
 * `errors` takes names of sets behind it; peers.py and arima.mjs in bench/forecast add contestants to peers.json. Times are CPU times of this process.
 */
import { existsSync, readFileSync } from 'node:fs'
import { RandomStream } from '../ts/common/random-stream.js'
import { load } from '../ts/index.js'
import { MODELS } from '../ts/series/ensemble.js'
import { forecast } from '../ts/series/index.js'
import { errorsOf, type Judged, scalesOf } from '../ts/series/measures.js'

const FOLDER = '.cache/forecast'
/** Forecast windows, one after another, at the end of each series. */
const WINDOWS = 3
const COVERAGE = 0.8

interface SeriesOfSet {
  name: string
  season: number
  horizon: number
  series: number[][]
}
type Peers = Record<string, { windows: (number[] | null)[][]; seconds: number }>

const cpu = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6
const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length

/** MASE of forecasts of a series from an origin. */
function maseOf(values: number[], origin: number, season: number, ahead: readonly Judged[]) {
  return errorsOf(ahead, scalesOf(Float64Array.from(values), new Uint8Array(values.length), season, origin), COVERAGE)
}

async function errors(names: readonly string[]): Promise<void> {
  const sets = (JSON.parse(readFileSync(`${FOLDER}/sets.json`, 'utf8')) as SeriesOfSet[]).filter(
    ({ name }) => names.length === 0 || names.includes(name),
  )
  const peers: Peers = existsSync(`${FOLDER}/peers.json`) ? JSON.parse(readFileSync(`${FOLDER}/peers.json`, 'utf8')) : {}
  const contestants = [...new Set(Object.keys(peers).map((key) => key.split('/')[1]))]
  const totals: Record<string, number[]> = {}
  const paired: Record<string, [own: number, other: number][]> = {}
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
        for (const other of contestants) {
          const ahead = peers[`${name}/${other}`]?.windows[WINDOWS - w][s]
          if (ahead) (line[other] ??= []).push(maseOf(values, origin, season, judged(ahead)).mase)
        }
      }
    }
    const cells = Object.entries(line).map(([who, list]) => {
      if (who !== 'coverage') (totals[who] ??= []).push(mean(list))
      if (contestants.includes(who)) (paired[who] ??= []).push([mean(line.gradus), mean(list)])
      return `${who} ${mean(list).toFixed(3)}`
    })
    console.log(`${name.padEnd(16)} ${(cpu() - began).toFixed(1)} s  ${cells.join('  ')}`)
  }
  console.log('\nmean over sets:')
  for (const [who, list] of Object.entries(totals)) console.log(`  ${who.padEnd(10)} ${mean(list).toFixed(4)} on ${list.length} sets`)
  for (const [who, list] of Object.entries(paired)) {
    const differences = list.map(([own, other]) => own - other)
    const middle = mean(differences)
    const error = Math.sqrt(mean(differences.map((d) => (d - middle) ** 2)) / (list.length - 1))
    console.log(
      `  against ${who}: ${mean(list.map(([own]) => own)).toFixed(4)} and ${mean(list.map(([, other]) => other)).toFixed(4)}; better on ${differences.filter((d) => d < 0).length} of ${list.length}; t = ${(middle / error).toFixed(2)}`,
    )
  }
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
