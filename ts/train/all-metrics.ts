/** All metrics by name, for programs that want them. */
import { NAMED } from '../metrics/named.js'
import { METRICS } from './metrics.js'

/**
 * Makes `fit` and `evaluateModel` know all metrics by name. In Node, Deno, Bun and pages without a bundler they know them; a bundler leaves out what a program does
 * not name, so that with one it is called once at the start.
 *
 * @example
 * useAllMetrics()
 * const { f1, auc } = evaluateModel(model, { inputs, targets, metrics: ['f1', 'auc'] })
 */
export function useAllMetrics(): void {
  Object.assign(METRICS, NAMED)
}
