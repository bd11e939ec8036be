/** The one file of `gradus` for pages without a bundler and for Deno: nothing is left out of it, so that all metrics are there by name. */
import { useAllMetrics } from '../train/all-metrics.js'

useAllMetrics()

export * from '../index.js'
