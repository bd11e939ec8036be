/** All metrics by name, for programs that want them. */
import { NAMED } from '../metrics/named.js'
import { METRICS } from './metrics.js'

/**
 * Makes all metrics available by name in `fit` and `evaluateModel`. In Node, Deno, Bun and pages without a bundler they are available anyway. A
 * bundler leaves out metrics that a program does not import, so call this once at the start of a bundled program.
 *
 * @example
 * useAllMetrics()
 * const { f1, auc } = evaluateModel(model, { inputs, targets, metrics: ['f1', 'auc'] })
 */
export function useAllMetrics(): void {
  Object.assign(METRICS, NAMED)
}
