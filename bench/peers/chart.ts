/** bench/results/peers.svg: how fast others are beside gradus, net by net. Written by table.ts. */
import type { TopLevelSpec } from 'vega-lite'
import { INK, STYLE, toSvg } from '../chart.js'
import { GROUPS } from './groups.js'
import type { Peers } from './results.js'
import { bestOf, isKind, number, ratio } from './table.js'
import { WORKLOADS, type Workload } from './workloads.js'

const TICKS = [0.0001, 0.001, 0.01, 0.1, 1, 10]
