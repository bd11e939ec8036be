/** `gradus/js` for runtimes that load whole files, such as Node and Deno: all metrics are available by name. */
import { useAllMetrics } from '../train/all-metrics.js'

useAllMetrics()

export * from './js.js'
