/**
 * The strong Wolfe line search of PyTorch's L-BFGS: a bracket, then zoom, by cubic interpolation, with the safeguard
 * that a trial too near the end of its bracket is moved a tenth inwards (Nocedal & Wright 2006, algorithms 3.5 and 3.6;
 * Schmidt's minFunc). Trials and result are the same as torch's, except that a value that is not finite counts as a
 * point too far out.
 */

import { atLeast0, checkOptions, finite, type Schema } from '../../common/options.js'

/** A trial point of a line search: value and slope of φ(t) = f(x + t·d). */
export interface Trial {
  t: number
  value: number
  /** φ′(t) = gᵀd */
  slope: number
}

/** Options of {@link strongWolfe}. */
export interface WolfeOptions {
  /** Sufficient decrease, φ(t) ≤ φ(0) + c₁·t·φ′(0). Default 1e-4. */
  c1?: number
  /** Curvature, |φ′(t)| ≤ c₂·|φ′(0)|. Default 0.9. */
  c2?: number
  /** A bracket shorter than this (times |d|∞) is final. Default 1e-9. */
  stepTolerance?: number
  /** Largest number of trials. Default 25. */
  maxEvaluations?: number
  /** |d|∞. Default 1. */
  directionSize?: number
}

export const STRONG_WOLFE = {
  c1: { is: finite, default: 1e-4 },
  c2: { is: finite, default: 0.9 },
  stepTolerance: { is: atLeast0, default: 1e-9 },
  maxEvaluations: { is: atLeast0, default: 25 },
  directionSize: { is: atLeast0, default: 1 },
} satisfies Schema<WolfeOptions>

/** The chosen point, the number of trials, and a flag that both conditions hold there. */
export interface LineSearchResult<T extends Trial> {
  point: T
  evaluations: number
  satisfied: boolean
}

interface Search<T extends Trial> {
  phi: (t: number) => T
  start: T
  c1: number
  c2: number
  max: number
  /** Trials made in the loops (torch's ls_iter: the first trial is not counted). */
  iterations: number
  evaluations: number
}

/** A bracket of two points, with the index of the lower one; or a single final point. */
type Bracket<T extends Trial> = [T, T]

/**
 * A step along a direction of descent that satisfies the strong Wolfe conditions, or the best end of the bracket when
 * the trials are used up.
 *
 * @param phi value and slope at a step length; may carry more (the gradient)
 * @param start φ at 0
 * @param first first trial
 * @example
 * const phi = (t: number) => ({ t, value: (t - 3) ** 2, slope: 2 * (t - 3) })
 * strongWolfe(phi, phi(0), 10).point.t // 3
 */
export function strongWolfe<T extends Trial>(
  phi: (t: number) => T,
  start: T,
  first: number,
  options: WolfeOptions = {},
): LineSearchResult<T> {
  return searchLine(phi, start, first, checkOptions('strongWolfe', options, STRONG_WOLFE))
}

/** @internal {@link strongWolfe} for methods, which search along a line in each iteration: the options are not checked */
export function searchLine<T extends Trial>(phi: (t: number) => T, start: T, first: number, options: WolfeOptions): LineSearchResult<T> {
  const { c1 = STRONG_WOLFE.c1.default, c2 = STRONG_WOLFE.c2.default, maxEvaluations = STRONG_WOLFE.maxEvaluations.default } = options
  const { stepTolerance = STRONG_WOLFE.stepTolerance.default, directionSize = STRONG_WOLFE.directionSize.default } = options
  const search: Search<T> = { phi, start, c1, c2, max: maxEvaluations, iterations: 0, evaluations: 0 }
  const found = bracket(search, first)
  if (!Array.isArray(found)) return { point: found, evaluations: search.evaluations, satisfied: true }
  return zoom(search, found, stepTolerance / directionSize)
}

function decreases<T extends Trial>({ start, c1 }: Search<T>, { t, value }: T): boolean {
  return value <= start.value + c1 * t * start.slope
}

function isFlat<T extends Trial>({ start, c2 }: Search<T>, { slope }: T): boolean {
  return Math.abs(slope) <= -c2 * start.slope
}

function evaluate<T extends Trial>(search: Search<T>, t: number): T {
  search.evaluations++
  return search.phi(t)
}

/** Walks outwards until a point satisfies both conditions (then only this point is returned) or two points enclose such a point. */
function bracket<T extends Trial>(search: Search<T>, first: number): T | Bracket<T> {
  let previous = search.start
  let now = retreat(search, previous, evaluate(search, first))
  while (search.iterations < search.max) {
    if (!decreases(search, now) || (search.iterations > 1 && now.value >= previous.value)) return [previous, now]
    if (isFlat(search, now)) return now
    if (now.slope >= 0) return [previous, now]
    const t = cubicMinimum(previous, now, now.t + 0.01 * (now.t - previous.t), now.t * 10)
    previous = now
    now = evaluate(search, t)
    search.iterations++
    now = retreat(search, previous, now)
  }
  return [search.start, now]
}

/** Halves the distance to a finite point for as long as values are not finite. */
function retreat<T extends Trial>(search: Search<T>, from: T, trial: T): T {
  let at = trial
  while (!isUsable(at) && search.evaluations <= search.max) at = evaluate(search, from.t + (at.t - from.t) * (from.t === 0 ? 0.1 : 0.5))
  return at
}

function isUsable({ value, slope }: Trial): boolean {
  return Number.isFinite(value) && Number.isFinite(slope)
}

function zoom<T extends Trial>(search: Search<T>, ends: Bracket<T>, shortest: number): LineSearchResult<T> {
  let low = lower(ends)
  let stalled = false
  let done = false
  while (!done && search.iterations < search.max && !(Math.abs(ends[1].t - ends[0].t) < shortest)) {
    const next = nextTrial(ends, stalled)
    stalled = next.stalled
    const now = evaluate(search, next.t)
    search.iterations++
    const high = 1 - low
    if (!decreases(search, now) || !(now.value < ends[low].value)) {
      ends[high] = now
      low = lower(ends)
      continue
    }
    if (isFlat(search, now)) done = true
    else if (now.slope * (ends[high].t - ends[low].t) >= 0) ends[high] = ends[low]
    ends[low] = now
  }
  return { point: ends[low], evaluations: search.evaluations, satisfied: done }
}

/** Index of the lower end; an end that is not finite is never lower. */
function lower([a, b]: readonly [Trial, Trial]): number {
  if (!isUsable(b)) return 0
  return a.value <= b.value ? 0 : 1
}

/** The next trial inside the bracket, moved a tenth inwards if the interpolation stalls at an end. */
function nextTrial([a, b]: readonly [Trial, Trial], stalled: boolean): { t: number; stalled: boolean } {
  const min = Math.min(a.t, b.t)
  const max = Math.max(a.t, b.t)
  if (!isUsable(a) || !isUsable(b)) return { t: 0.5 * (min + max), stalled: false }
  const t = cubicMinimum(a, b, min, max)
  const margin = 0.1 * (max - min)
  if (!(Math.min(max - t, t - min) < margin)) return { t, stalled: false }
  if (!stalled && t < max && t > min) return { t, stalled: true }
  return { t: Math.abs(t - max) < Math.abs(t - min) ? max - margin : min + margin, stalled: false }
}

/**
 * Minimizer of the cubic through two values and slopes, kept within [min, max]; the middle if it has none.
 *
 * @example cubicMinimum({ t: 0, value: 9, slope: -6 }, { t: 4, value: 1, slope: 2 }, 0, 4) // 3
 */
export function cubicMinimum(a: Trial, b: Trial, min: number, max: number): number {
  const [p, q] = a.t <= b.t ? [a, b] : [b, a]
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.t - b.t)
  const square = d1 * d1 - a.slope * b.slope
  if (!(square >= 0)) return (min + max) / 2
  const d2 = Math.sqrt(square)
  const t = q.t - (q.t - p.t) * ((q.slope + d2 - d1) / (q.slope - p.slope + 2 * d2))
  return Number.isNaN(t) ? (min + max) / 2 : Math.min(Math.max(t, min), max)
}
