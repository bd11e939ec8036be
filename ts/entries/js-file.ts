/** The one file of `gradus/js`, for Node, Deno and pages without a bundler: as page.ts. */
import { useAllMetrics } from '../train/all-metrics.js'

useAllMetrics()

export * from '../index.js'
