/** The entry of `gradus` for pages without a bundler and for Deno: it leaves nothing out, so all metrics are available by name. */
import { useAllMetrics } from '../train/all-metrics.js'

useAllMetrics()

export * from '../index.js'
