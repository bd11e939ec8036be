/** `gradus/js` where nothing leaves out unused files, as in Node and Deno: all metrics are there by name. */
import { useAllMetrics } from '../train/all-metrics.js'

useAllMetrics()

export * from './js.js'
