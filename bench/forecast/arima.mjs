/**
 * The same forecasts by the package `arima` of npm, for bench/forecast.ts: writes .cache/forecast/peers/npm-arima.json.
 *
 *     npm install --prefix .cache/forecast arima@0.2.8 && node bench/forecast/arima.mjs
 *
 * Its automatic choice, with the largest orders that R's auto.arima tries. Seasons above 12 take it minutes for a series.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const FOLDER = path.resolve('.cache/forecast')
const ARIMA = createRequire(`${FOLDER}/`)('arima')
const [WINDOWS, LONGEST_SEASON] = [3, 12]

const cpu = () => process.cpuUsage().user / 1e6
const file = `${FOLDER}/peers/npm-arima.json`
mkdirSync(`${FOLDER}/peers`, { recursive: true })
const found = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
const sizeOf = ({ series }) => series.reduce((sum, { length }) => sum + length, 0)
// the shortest first, so that a run can be stopped
for (const { name, season, horizon, series } of JSON.parse(readFileSync(`${FOLDER}/sets.json`, 'utf8')).sort(
  (a, b) => sizeOf(a) - sizeOf(b),
)) {
  if (name in found || season > LONGEST_SEASON) continue
  const began = cpu()
  const seasonal = season > 1 ? { P: 2, D: 1, Q: 2, s: season } : {}
  const windows = Array.from({ length: WINDOWS }, (_, i) =>
    series.map((values) => {
      try {
        const known = values.slice(0, values.length - (WINDOWS - i) * horizon)
        const [ahead] = new ARIMA({ auto: true, p: 5, d: 2, q: 5, ...seasonal, verbose: false }).train(known).predict(horizon)
        return Array.from(ahead)
      } catch (error) {
        console.log(name, i, String(error))
        return null
      }
    }),
  )
  found[name] = { windows, seconds: cpu() - began }
  console.log(name, found[name].seconds.toFixed(1))
  writeFileSync(file, JSON.stringify(found))
}
