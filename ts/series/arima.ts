/**
 * Seasonal ARIMA (Box & Jenkins 1970). The coefficients minimize the squares of the one-step errors, by Gauss–Newton steps with Marquardt's damping. Orders
 * and differences are searched step by step for the least AICc (Hyndman & Khandakar 2008). Every form is judged on the same values, so the AICc of forms
 * with and without differences compare. There are no logarithms here: `autoregression.ts` tries them.
 */
import { cholesky, solveCholesky } from '../backend/js/normal-equations.js'
import { sumAbs } from '../common/vector.js'
import { aiccOf, devianceOf } from './aicc.js'
import { isStable, type Polynomial, times } from './polynomial.js'

/** Numbers of coefficients: autoregressive, moving average, and the same two a season apart. */
type Orders = readonly [ar: number, ma: number, seasonalAr: number, seasonalMa: number]

/** A fitted model: Φ(L)·(w − mean) = Θ(L)·e. w are the values divided by `scale`, and differenced; e are the one-step errors. */
export interface Arima {
  readonly scale: number
  readonly period: number
  /** True for differences to the value before, and to the value a season before. */
  readonly differences: readonly [first: boolean, seasonal: boolean]
  readonly orders: Orders
  /** Mean of w; null for 0. */
  readonly mean: number | null
  /** Coefficients of four polynomials 1 + Σ c_i·L^i, in the order of `orders`. */
  readonly coefficients: readonly number[]
}

/** The largest orders. */
const MOST: Orders = [2, 2, 1, 1]
/** A seasonal form wants at least this many seasons of values. */
const SEASONS = 4
/** A fit wants at least this many values for each coefficient. */
const VALUES_A_COEFFICIENT = 6
/** Inverse roots have at most this absolute value, as in auto.arima of R: roots nearer to the unit circle forecast waves that are not there. */
const INSIDE = 0.99
/** Gauss–Newton steps of a fit, tries of a step with ever more damping, and the relative gain below which a fit ends. */
const [ITERATIONS, TRIES, TOLERANCE] = [8, 4, 1e-3]
/** First coefficients of a fit, in the order of `Orders`: near 0, but not where an autoregressive and a moving-average polynomial cancel. */
const START = [-0.1, 0.1, -0.1, 0.1]
/** Orders that are tried first. */
const FIRST: readonly Orders[] = [
  [2, 2, 1, 1],
  [0, 0, 0, 0],
  [1, 0, 1, 0],
  [0, 1, 0, 1],
]
/** Changes of the best orders that are tried next. */
const MOVES = [
  ...[
    [-1, 0, 0, 0],
    [1, 0, 0, 0],
    [0, -1, 0, 0],
    [0, 1, 0, 0],
    [-1, -1, 0, 0],
    [1, 1, 0, 0],
    [-1, 1, 0, 0],
    [1, -1, 0, 0],
  ],
  ...[
    [0, 0, -1, 0],
    [0, 0, 1, 0],
    [0, 0, 0, -1],
    [0, 0, 0, 1],
    [0, 0, -1, -1],
    [0, 0, 1, 1],
  ],
]

type Form = Pick<Arima, 'scale' | 'period' | 'differences'>
type Fit = Pick<Arima, 'orders' | 'mean' | 'coefficients'> & { readonly aicc: number }

/** @param before a fit of fewer values: its differences and orders stay */
export function fitArima(values: Float64Array, season: number, before?: Arima): Arima {
  const n = values.length
  const scale = sumAbs(values) / n || 1
  const period = season > 1 && n >= SEASONS * season ? season : 1
  const from = 2 * period + 2
  const fits = (form: Form) => {
    const w = differencesOf(values, form)
    const known = new Map<string, Fit>()
    return (orders: Orders, hasMean: boolean, start?: Arima) => {
      const key = `${orders} ${hasMean}`
      const fit = known.get(key) ?? fitOrders(w, from - skipped(form), period, orders, hasMean, start)
      known.set(key, fit)
      return fit
    }
  }
  if (before?.period === period) {
    const form = { scale, period, differences: before.differences }
    const { aicc, ...fit } = fits(form)(before.orders, before.mean !== null, before)
    return aicc < Infinity ? { ...form, ...fit } : before
  }
  // without a form, the last value again
  const none: Orders = [0, 0, 0, 0]
  let form: Form = { scale, period, differences: [true, false] }
  let best: Fit = { orders: none, mean: null, coefficients: [], aicc: Infinity }
  let fit = fits(form)
  for (const isSeasonal of period > 1 ? [false, true] : [false])
    for (const isFirst of [false, true]) {
      const other: Form = { scale, period, differences: [isFirst, isSeasonal] }
      const its = fits(other)
      const first = its([1, 1, 0, period > 1 ? 1 : 0], !(isFirst && isSeasonal))
      if (first.aicc < best.aicc) [form, fit, best] = [other, its, first]
    }
  const limits = MOST.map((most, i) => (i > 1 && period === 1 ? 0 : most))
  const mayHaveMean = !form.differences.every(Boolean)
  const isBetter = (orders: Orders, hasMean: boolean) => {
    if ((hasMean && !mayHaveMean) || orders.some((order, i) => order < 0 || order > limits[i])) return false
    const other = fit(orders, hasMean)
    if (!(other.aicc < best.aicc)) return false
    best = other
    return true
  }
  for (const orders of FIRST) isBetter(orders.map((order, i) => Math.min(order, limits[i])) as unknown as Orders, mayHaveMean)
  for (let moved = true; moved; ) {
    const { orders, mean } = best
    moved =
      isBetter(orders, mean === null) ||
      MOVES.some((move) => isBetter(orders.map((order, i) => order + move[i]) as unknown as Orders, mean !== null))
  }
  const { aicc: _, ...found } = best
  return { ...form, ...found }
}

/** Number of first values without a difference. */
const skipped = ({ differences: [isFirst, isSeasonal], period }: Form) => Number(isFirst) + (isSeasonal ? period : 0)

function differencesOf(values: Float64Array, { scale, period, differences: [isFirst, isSeasonal] }: Form): Float64Array {
  let w = values.map((y) => y / scale)
  if (isFirst) w = w.subarray(1).map((x, t) => x - w[t])
  if (isSeasonal) w = w.subarray(period).map((x, t) => x - w[t])
  return w
}

/** The coefficients with the least squares of the errors from place `from` on. @param start a model whose coefficients the fit begins at */
function fitOrders(w: Float64Array, from: number, period: number, orders: Orders, hasMean: boolean, start?: Arima): Fit {
  const n = w.length - from
  const count = orders.reduce((a, b) => a + b, 0)
  const size = count + Number(hasMean)
  const none = { orders, mean: hasMean ? 0 : null, coefficients: new Array<number>(count).fill(0), aicc: Infinity }
  if (n < VALUES_A_COEFFICIENT * size || n <= size + 2) return none
  let at = Float64Array.from(start?.coefficients ?? orders.flatMap((order, i) => new Array<number>(order).fill(START[i])))
  if (hasMean) at = Float64Array.from([...at, start?.mean ?? w.reduce((a, b) => a + b, 0) / w.length])
  const errorsAt = (c: Float64Array) => errorsOf(hasMean ? less(w, c[count]) : w, period, orders, c)
  const squaresOf = (e: Float64Array) => dot(e, 0, e, 0, from)
  let errors = errorsAt(at)
  let squares = squaresOf(errors)
  let damping = 1e-3
  const signs = [...orders.flatMap((order, i) => new Array<number>(order).fill(i % 2 === 0 ? 1 : -1)), 1]
  const factor = new Float64Array(size * size)
  const step = new Float64Array(size)
  for (let k = 0; k < ITERATIONS && size > 0; k++) {
    // the derivatives of the errors by the coefficients of one polynomial are one series at growing lags; moving averages have the other sign
    const columns: [series: Float64Array, lag: number][] = []
    for (let i = 0, place = 0; i < 4; place += orders[i++]) {
      if (orders[i] === 0) continue
      const lag = i > 1 ? period : 1
      const series = divided(errors, at.subarray(place, place + orders[i]), lag)
      for (let j = 1; j <= orders[i]; j++) columns.push([series, j * lag])
    }
    if (hasMean) columns.push([errorsOf(new Float64Array(w.length).fill(-1), period, orders, at), 0])
    const gram = new Float64Array(size * size)
    const right = new Float64Array(size)
    for (const [i, [a, lag]] of columns.entries()) {
      for (let j = 0; j <= i; j++) gram[i * size + j] = dot(a, lag, ...columns[j], from)
      right[i] = -dot(a, lag, errors, 0, from)
    }
    const diagonal = right.map((_, i) => gram[i * size + i])
    let gain = 0
    for (let tries = 0; tries < TRIES && gain === 0; tries++) {
      const isSolved = cholesky(gram, size, damping, diagonal, factor)
      damping = Math.max(1e-4, damping) * 6
      if (!isSolved) continue
      solveCholesky(factor, size, right, step)
      const moved = at.map((c, i) => c + signs[i] * step[i])
      if (!isInside(orders, moved)) continue
      const e = errorsAt(moved)
      const its = squaresOf(e)
      if (!(its < squares)) continue
      gain = (squares - its) / squares
      ;[at, errors, squares] = [moved, e, its]
      damping /= 30
    }
    if (gain < TOLERANCE) break
  }
  const aicc = aiccOf(devianceOf(squares, n), n, size + 1)
  return { ...none, mean: hasMean ? at[count] : null, coefficients: [...at.subarray(0, count)], aicc: Number.isNaN(aicc) ? Infinity : aicc }
}

/** x − mean. */
function less(x: Float64Array, mean: number): Float64Array {
  const out = x.slice()
  for (let t = 0; t < out.length; t++) out[t] -= mean
  return out
}

/** Σ a_(t−lag)·b_(t−other), t ≥ from. */
function dot(a: Float64Array, lag: number, b: Float64Array, other: number, from: number): number {
  let sum = 0
  for (let t = from; t < a.length; t++) sum += a[t - lag] * b[t - other]
  return sum
}

/** One-step errors. Before the first value, values count as the mean, and errors as 0. */
function errorsOf(w: Float64Array, period: number, [p, q, P, Q]: Orders, c: Float64Array): Float64Array {
  let e = multiplied(w, c.subarray(0, p), 1)
  e = multiplied(e, c.subarray(p + q, p + q + P), period)
  e = divided(e, c.subarray(p, p + q), 1)
  return divided(e, c.subarray(p + q + P, p + q + P + Q), period)
}

/** (1 + Σ c_i·L^(i·lag)) x. */
function multiplied(x: Float64Array, c: Float64Array, lag: number): Float64Array {
  if (c.length === 0) return x
  const out = x.slice()
  for (let i = 0; i < c.length; i++) for (let t = (i + 1) * lag; t < x.length; t++) out[t] += c[i] * x[t - (i + 1) * lag]
  return out
}

/** x / (1 + Σ c_i·L^(i·lag)). */
function divided(x: Float64Array, c: Float64Array, lag: number): Float64Array {
  if (c.length === 0) return x
  const out = x.slice()
  for (let t = lag; t < x.length; t++) {
    let sum = out[t]
    for (let i = 0, before = t - lag; i < c.length && before >= 0; i++, before -= lag) sum -= c[i] * out[before]
    out[t] = sum
  }
  return out
}

/** True if the roots of all four polynomials lie outside of the unit circle, and not near it. */
function isInside(orders: Orders, c: Float64Array): boolean {
  let place = 0
  for (const order of orders) {
    const polynomial = [1]
    for (let i = 0, radius = INSIDE; i < order; i++, radius *= INSIDE) polynomial.push(c[place++] / radius)
    if (order > 0 && !isStable(polynomial)) return false
  }
  return true
}

/** 1 + Σ c_i·L^(i·lag). */
function polynomialOf(c: readonly number[], lag: number): Polynomial {
  const out = new Array<number>(c.length * lag + 1).fill(0)
  out[0] = 1
  for (const [i, x] of c.entries()) out[(i + 1) * lag] = x
  return out
}

/** Row-major [origins, horizon]. */
export function arimaForecasts(model: Arima, values: Float64Array, origins: ArrayLike<number>, horizon: number): Float64Array {
  const { scale, period, differences, orders, coefficients: c } = model
  const [p, q, P] = orders
  const skip = skipped(model)
  const mean = model.mean ?? 0
  const w = less(differencesOf(values, model), mean)
  const errors = errorsOf(w, period, orders, Float64Array.from(c))
  const stationary = times(polynomialOf(c.slice(0, p), 1), polynomialOf(c.slice(p + q, p + q + P), period))
  const whole = times(stationary, times(polynomialOf(differences[0] ? [-1] : [], 1), polynomialOf(differences[1] ? [-1] : [], period)))
  const ofErrors = times(polynomialOf(c.slice(p, p + q), 1), polynomialOf(c.slice(p + q + P), period))
  const constant = mean * stationary.reduce((a, b) => a + b, 0)
  const terms = (polynomial: Polynomial) => [...polynomial.entries()].filter(([lag, x]) => lag > 0 && x !== 0)
  const [own, its] = [terms(whole), terms(ofErrors)]
  const out = new Float64Array(origins.length * horizon)
  for (let k = 0; k < origins.length; k++) {
    const n = origins[k]
    const ahead = out.subarray(k * horizon, (k + 1) * horizon)
    for (let h = 0; h < horizon; h++) {
      let sum = constant
      for (const [lag, x] of own) sum -= x * (h < lag ? values[Math.max(0, n + h - lag)] / scale : ahead[h - lag])
      for (const [lag, x] of its) if (h < lag && n + h - lag >= skip) sum += x * errors[n + h - lag - skip]
      ahead[h] = sum
    }
    for (let h = 0; h < horizon; h++) ahead[h] *= scale
  }
  return out
}
