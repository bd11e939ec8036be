/**
 * `gradus/xray`: looks at a training at some of its steps, and says what is wrong with it.
 * @module gradus/xray
 */
export type { ReportBlock } from '../report/blocks.js'
export { Instruments, type Subject } from './instruments.js'
export type { OptimizerParts } from './optimizer-facts.js'
export { type PlotXrayOptions, plotXray } from './plot.js'
export type {
  LayerSample,
  Severity,
  StartLayer,
  SuspectRow,
  Verdict,
  XrayData,
  XrayEnd,
  XrayEpoch,
  XrayFit,
  XrayLayer,
  XrayLevel,
  XrayReport,
  XraySample,
  XraySetup,
  XrayStart,
} from './report.js'
export { diagnose } from './rules.js'
export { reportBlocks, reportHtml, reportText } from './show.js'
export { XRay, type XRayOptions } from './xray.js'
