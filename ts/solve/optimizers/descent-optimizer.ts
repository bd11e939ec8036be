/** Closure-style optimizers that are a direction rule and a line search. */
import { type Allowed, nonNegative, positive } from '../../optim/base/options.js'

import { descend } from '../minimize/descent.js'
import type { DirectionRule, LastStep } from '../minimize/direction.js'
import type { Point, PointSource } from '../objective.js'
import { isConverged, type Stop } from '../result.js'
import { Stopping } from '../stop.js'
import { type Closure, ClosureOptimizer, type ClosureResult, type TrainingBatch } from './closure.js'

/** Options that all these optimizers share. */
export interface DescentOptions {
  /** Largest number of iterations per step(). Default 20. */
  maxIterations?: number
  /** Stops at |g|∞ ≤ this. Default 1e-7. */
  gradientTolerance?: number
  /** Stops at |Δloss| ≤ this·|loss|. Default 1e-12. */
  valueTolerance?: number
}

/** A method: runs from a first point until something stops it. @internal */
export type Descend = (source: PointSource, first: Point, stopping: Stopping) => Stop

/** @internal */
export abstract class DescentOptimizer<O extends DescentOptions> extends ClosureOptimizer<O> {
  static override readonly defaults: Readonly<Record<string, unknown>> = {
    maxIterations: 20,
    gradientTolerance: 1e-7,
    valueTolerance: 1e-12,
  }
  static override readonly allowed: Readonly<Record<string, Allowed>> = {
    maxIterations: positive,
    gradientTolerance: nonNegative,
    valueTolerance: nonNegative,
  }

  /** The last step, from which the next search starts. */
  protected last: LastStep = null

  abstract step(closure: Closure): ClosureResult

  override trainOn({ evaluate }: TrainingBatch): number {
    return this.step(evaluate).initialLoss
  }

  /** Runs a direction rule with a line search along each direction. */
  protected run(closure: Closure, rule: DirectionRule): ClosureResult {
    return this.runWith(closure, (source, first, stopping) => {
      const stop = descend(source, rule, first, stopping, this.last)
      if (stop.reason === 'not-finite') rule.reset()
      this.last = stop.reason === 'not-finite' ? null : (stopping.last ?? this.last)
      return stop
    })
  }

  /** Runs any method; the parameters end at the best point seen. */
  protected runWith(closure: Closure, method: Descend): ClosureResult {
    this.stepCount++
    const { maxIterations, gradientTolerance, valueTolerance } = this.options
    const source = new ClosureSource((x) => this.evaluate(closure, x), this.size)
    const stopping = new Stopping({ maxIterations, gradientTolerance, valueTolerance }, source)
    const start = this.read()
    try {
      const first = source.at(start)
      const { reason, message } = method(source, first, stopping)
      const loss = source.best?.value ?? first.value
      const { iterations } = stopping
      return {
        initialLoss: first.value,
        loss,
        iterations,
        evaluations: source.evaluations,
        converged: isConverged(reason),
        reason,
        message,
      }
    } finally {
      this.write(source.best?.x ?? start)
    }
  }
}

/** Values and gradients by running a closure; remembers the best point. @internal */
export class ClosureSource implements PointSource {
  evaluations = 0
  best: Point | null = null

  constructor(
    private readonly evaluate: (x: Float64Array) => Point,
    readonly size: number,
  ) {}

  at(x: Float64Array): Point {
    this.evaluations++
    const point = this.evaluate(x.slice())
    if (Number.isFinite(point.value) && (this.best === null || point.value < this.best.value)) this.best = point
    return point
  }
}
