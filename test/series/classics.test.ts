/** The classics against statsmodels, statsforecast and numpy, and by properties. */
import { describe, expect, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { type Arima, arimaForecasts, fitArima } from '../../ts/series/arima.js'
import { autoregressionForecasts, fitAutoregression } from '../../ts/series/autoregression.js'
import { driftForecasts, fitTheta, isSeasonal, naiveForecasts, thetaForecasts } from '../../ts/series/classics.js'
import { isStable } from '../../ts/series/polynomial.js'
import { type Ets, etsForecasts, etsName, fitEts, fitForm } from '../../ts/series/smoothing.js'
import oracle from '../oracles/series.json' with { type: 'json' }

interface Form {
  form: Ets['form']
  weights: [number, number, number, number]
  level: number
  trend: number
  seasons: number[]
  loglike: number
  forecast: number[]
  aicc: number
  usual: boolean
}
const cases = oracle.cases.map((one) => ({ ...one, values: Float64Array.from(one.values), forms: one.forms as unknown as Form[] }))
/** −2 log of the likelihood but for a constant, from forecasts one step ahead. */
function likelihoodAt(values: Float64Array, model: Ets): number {
  const ahead = etsForecasts(model, values, [...values.keys()], 1)
  const errors = values.map((y, i) => (model.form.error === 'M' ? y / ahead[i] - 1 : y - ahead[i]))
  const logs = model.form.error === 'M' ? ahead.reduce((sum, y) => sum + Math.log(Math.abs(y)), 0) : 0
  return values.length * Math.log(errors.reduce((sum, e) => sum + e * e, 0)) + 2 * logs
}
const sized = (values: ArrayLike<number>) => Math.max(...Array.from(values, Math.abs))

describe.each(cases)('$name', ({ values, period, forms, theta }) => {
  test('at the same parameters, likelihood and forecasts of each form are those of the oracle', () => {
    for (const { loglike, forecast, aicc: _, usual: __, ...model } of forms) {
      const own = { ...model, period: model.seasons.length || 1, aicc: 0 }
      const n = values.length
      const ours = likelihoodAt(values, own) + n * (Math.log((2 * Math.PI) / n) + 1)
      expect(Math.abs(ours + 2 * loglike), etsName(model.form)).toBeLessThan(1e-6 * Math.abs(loglike) + 1e-6)
      const ahead = etsForecasts(own, values, [n], forecast.length)
      // means of statsforecast lie above the points of a multiplicative season, the more the later
      const isFactor = model.form.season === 'M'
      for (const [h, value] of forecast.slice(0, isFactor ? 4 : forecast.length).entries())
        expect(Math.abs(ahead[h] - value)).toBeLessThan((isFactor ? 2e-3 : 1e-6) * sized(values))
    }
  })

  test('the criterion of each form is not worse than that of statsforecast, where its parameters are in the usual region', () => {
    for (const { form, aicc, usual } of forms) if (usual) expect(fitForm(values, form, period).aicc, etsName(form)).toBeLessThan(aicc + 2.5)
  })

  test('the automatic choice is not worse than the best form of statsforecast', () => {
    expect(fitEts(values, period).aicc).toBeLessThan(Math.min(...forms.filter(({ usual }) => usual).map(({ aicc }) => aicc)) + 1.5)
  })

  test('Theta is that of statsforecast', () => {
    const own = thetaForecasts(fitTheta(values, period), values, [values.length], theta.length)
    for (const [h, value] of theta.entries()) expect(Math.abs(own[h] - value)).toBeLessThan(6e-3 * sized(values))
  })
})

describe('autoregression', () => {
  test.each(cases)('$name: the form with the least AICc, by least squares of all forms one by one', ({ values, period, ar }) => {
    const own = autoregressionForecasts(fitAutoregression(values, period), values, [values.length], ar.length)
    for (const [h, value] of ar.entries()) expect(Math.abs(own[h] - value)).toBeLessThan(1e-7 * sized(values))
  })

  test('finds the coefficients that made a series', () => {
    const random = new RandomStream(2)
    const x = [0, 0]
    for (let t = 2; t < 4000; t++) x.push(3 + 1.2 * x[t - 1] - 0.5 * x[t - 2] + random.normal())
    const { constant, coefficients, least, scale } = fitAutoregression(Float64Array.from(x.slice(100)), 1)
    expect(least).toBeNull()
    expect(constant * scale).toBeCloseTo(3, 0)
    expect(coefficients[0]).toBeCloseTo(1.2, 1)
    expect(coefficients[1]).toBeCloseTo(-0.5, 1)
  })

  test('a model of logarithms takes later values that have none as the least one', () => {
    const growth = Float64Array.from({ length: 60 }, (_, t) => 1.1 ** t * (1 + 0.1 * Math.sin(t * t)))
    const model = fitAutoregression(growth, 1)
    expect(model.least).toBe(Math.min(...growth))
    const [zero, least] = [0, model.least as number].map((y) => autoregressionForecasts(model, Float64Array.from([...growth, y]), [61], 4))
    expect(zero).toEqual(least)
    expect(zero.every(Number.isFinite)).toBe(true)
  })
})

describe('ARIMA', () => {
  /** Errors one step ahead: the values less the forecasts from each place. */
  const squaresOf = (values: Float64Array, model: Arima, from: number) => {
    const ahead = arimaForecasts(model, values, [...values.keys()].slice(from), 1)
    return ahead.reduce((sum, f, i) => sum + (values[from + i] - f) ** 2, 0)
  }

  test('finds the coefficients that made a series, of values, of errors and of those a season before', () => {
    const random = new RandomStream(3)
    const [x, e] = [[0], [0]]
    for (let t = 1; t < 4000; t++) {
      e.push(random.normal())
      x.push(5 + 0.7 * (x[t - 1] - 5) + e[t] + 0.4 * e[t - 1] - 0.5 * (e[t - 4] ?? 0) - 0.2 * (e[t - 5] ?? 0))
    }
    const { scale, differences, orders, mean, coefficients } = fitArima(Float64Array.from(x.slice(100)), 4)
    expect({ differences, orders }).toEqual({ differences: [false, false], orders: [1, 1, 0, 1] })
    expect((mean as number) * scale).toBeCloseTo(5, 0)
    for (const [i, c] of [-0.7, 0.4, -0.5].entries()) expect(Math.abs(coefficients[i] - c), `${i}`).toBeLessThan(0.04)
  })

  test('one of orders 0, 1 and 1 is simple exponential smoothing', () => {
    const values = Float64Array.from({ length: 50 }, (_, i) => 20 + 3 * Math.sin(i * i) + 4 * Number(i > 25))
    const model: Arima = { scale: 2, period: 1, differences: [true, false], orders: [0, 1, 0, 0], mean: null, coefficients: [-0.7] }
    let level = values[0]
    for (let t = 1; t < 50; t++) level += (1 - 0.7) * (values[t] - level)
    for (const f of arimaForecasts(model, values, [50], 3)) expect(f).toBeCloseTo(level, 10)
  })

  test.each(cases)('$name: no coefficient nearby has smaller errors', ({ values, period }) => {
    const model = fitArima(values, period)
    const from = 2 * model.period + 2
    const least = squaresOf(values, model, from)
    const isInside = (c: readonly number[]) => {
      let place = 0
      return model.orders.every((order) => isStable([1, ...c.slice(place, (place += order)).map((x, i) => x / 0.99 ** (i + 1))]))
    }
    // a search ends where a step gains less than a thousandth
    for (const i of model.coefficients.keys())
      for (const change of [-0.05, 0.05]) {
        const coefficients = model.coefficients.map((c, j) => (i === j ? c + change : c))
        if (!isInside(coefficients)) continue
        expect(squaresOf(values, { ...model, coefficients }, from), `${model.orders}, ${i}`).toBeGreaterThan(0.998 * least)
      }
  })

  test('a fit of more values keeps the form', () => {
    for (const { values, period } of cases) {
      const before = fitArima(values.subarray(0, Math.floor(0.8 * values.length)), period)
      const { orders, differences, mean } = fitArima(values, period, before)
      if (before.period > 1 || period === 1)
        expect({ orders, differences, hasMean: mean !== null }).toEqual({
          ...{ orders: before.orders, differences: before.differences, hasMean: before.mean !== null },
        })
    }
  })
})

describe('by properties', () => {
  const random = new RandomStream(1)
  const noisy = Float64Array.from({ length: 60 }, (_, i) => 50 + i + 10 * Math.sin((i * Math.PI) / 2) + random.normal())
  const SEASON = 4
  const models: [string, (values: Float64Array, origins: number[], horizon: number, known?: Float64Array) => Float64Array][] = [
    ['naive', (values, origins, horizon) => naiveForecasts(values, origins, horizon, SEASON)],
    ['drift', (values, origins, horizon) => driftForecasts(values, origins, horizon, SEASON)],
    ['ETS', (values, origins, horizon, known = values) => etsForecasts(fitEts(known, SEASON), values, origins, horizon)],
    ['Theta', (values, origins, horizon, known = values) => thetaForecasts(fitTheta(known, SEASON), values, origins, horizon)],
    ['ARIMA', (values, origins, horizon, known = values) => arimaForecasts(fitArima(known, SEASON), values, origins, horizon)],
    [
      'autoregression',
      (values, origins, horizon, known = values) => autoregressionForecasts(fitAutoregression(known, SEASON), values, origins, horizon),
    ],
  ]

  test.each(models)('%s: forecasts from an origin know nothing after it', (_, forecast) => {
    const known = noisy.slice(0, 40)
    const changed = noisy.map((y, i) => (i < 50 ? y : 1e6))
    expect(forecast(changed, [40, 50], 8, known)).toEqual(forecast(noisy, [40, 50], 8, known))
  })

  test.each(models)('%s: several origins in one pass are those of one each', (_, forecast) => {
    const known = noisy.slice(0, 40)
    const together = forecast(noisy, [40, 43, 60], 5, known)
    for (const [k, origin] of [40, 43, 60].entries()) expect(together.slice(5 * k, 5 * k + 5)).toEqual(forecast(noisy, [origin], 5, known))
  })

  test.each(models)('%s: scaling the values by a power of two scales the forecasts', (_, forecast) => {
    const [plain, scaled] = [
      forecast(noisy, [60], 8),
      forecast(
        noisy.map((y) => 1024 * y),
        [60],
        8,
      ),
    ]
    for (const [h, y] of plain.entries()) expect(scaled[h] / 1024).toBeCloseTo(y, 2)
  })

  test('a line goes on as a line: drift, ETS, autoregression, ARIMA', () => {
    const line = Float64Array.from({ length: 40 }, (_, i) => 100 - 2.5 * i)
    for (const [h, y] of driftForecasts(line, [40], 12, 1).entries()) expect(y).toBeCloseTo(100 - 2.5 * (40 + h), 9)
    for (const [h, y] of etsForecasts(fitEts(line, 1), line, [40], 12).entries()) expect(y).toBeCloseTo(100 - 2.5 * (40 + h), 2)
    for (const [h, y] of autoregressionForecasts(fitAutoregression(line, 1), line, [40], 12).entries())
      expect(y).toBeCloseTo(100 - 2.5 * (40 + h), 6)
    for (const [h, y] of arimaForecasts(fitArima(line, 1), line, [40], 12).entries()) expect(y).toBeCloseTo(100 - 2.5 * (40 + h), 6)
    for (const [h, y] of thetaForecasts(fitTheta(line, 1), line, [40], 12).entries())
      expect(Math.abs(y - (100 - 2.5 * (40 + h)))).toBeLessThan(16)
  })

  test('constants, zeros, huge and tiny values give finite forecasts', () => {
    const series = [0, 5, -3, 1e30, 1e-30].flatMap((c) => [
      new Float64Array(30).fill(c),
      Float64Array.from({ length: 30 }, (_, i) => (i % 7 === 0 ? c : 0)),
      Float64Array.from({ length: 5 }, (_, i) => c * i),
    ])
    for (const values of series)
      for (const [name, forecast] of models) {
        const ahead = forecast(values, [values.length], 6)
        expect(ahead.every(Number.isFinite), `${name} of ${values}`).toBe(true)
        expect(sized(ahead)).toBeLessThanOrEqual(20 * sized(values) + 1e-30)
      }
  })

  test('a refit of more values is as good as a fit', () => {
    const [air] = cases
    const before = fitEts(air.values.slice(0, 120), 12)
    const again = fitForm(air.values, before.form, 12, before)
    expect(again.form).toEqual(before.form)
    expect(again.aicc).toBeLessThan(fitForm(air.values, before.form, 12).aicc + 2.5)
  })

  test('a season is found where there is one', () => {
    expect(isSeasonal(noisy, SEASON)).toBe(true)
    const noise = new RandomStream(5)
    const found = Array.from({ length: 100 }, () =>
      isSeasonal(
        Float64Array.from({ length: 60 }, () => noise.normal()),
        4,
      ),
    )
    expect(found.filter(Boolean).length).toBeLessThan(25)
  })
})
