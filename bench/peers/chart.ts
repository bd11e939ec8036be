/** bench/results/peers.svg: the speed of other libraries compared with gradus, net by net. Written by write.ts. */
import type { TopLevelSpec } from 'vega-lite'
import { INK, STYLE, toSvg } from '../chart.js'
import type { Peers } from './results.js'
import { bestOf, COMPARED, GROUPS, number, ratio } from './table.js'
import type { Workload } from './workloads.js'

const OTHERS = GROUPS.slice(1)
const COLOURS = ['#30a46c', '#e5484d', '#9aa5b1', '#e8890c', '#2f7ed8']
const SHAPES = ['triangle-down', 'circle', 'diamond', 'square', 'triangle-up']
const GUIDE = '#7b8794'
/** Pixels that points of a row are moved up or down, so that none hides another. */
const DODGE = 4

interface Point {
  net: string
  group: string
  /** Speed as a multiple of gradus with default options. */
  times: number
}

function rowOf(workload: Workload, speed: number): string {
  const unit = { steps: 'steps/s', update: 'ns/parameter', reach: 'ms' }[workload.kind]
  return `${workload.title.replace(/: until.*|, 10 M parameters/, '')}: ${number(speed)} ${unit}`
}

/** The best of each group on each workload that gradus has a figure for. */
export function points(peers: Peers): Point[] {
  return COMPARED.flatMap((workload) => {
    const ours = bestOf(peers, workload, GROUPS[0].has)
    if (!ours) return []
    return OTHERS.flatMap(({ title, has }) => {
      const theirs = bestOf(peers, workload, has)
      return theirs ? [{ net: rowOf(workload, ours.value), group: title, times: ratio(workload, theirs.value, ours.value) }] : []
    })
  })
}

/** The picture as a Vega-Lite specification. */
export function picture(peers: Peers): TopLevelSpec {
  const values = points(peers)
  const nets = [...new Set(values.map(({ net }) => net))]
  const domain = OTHERS.map(({ title }) => title)
  const y = { field: 'net', type: 'nominal', sort: nets, title: null, axis: { labelPadding: 10, labelLimit: 420, grid: true } }
  const legend = {
    orient: 'bottom',
    direction: 'horizontal',
    symbolSize: 110,
    symbolOpacity: 1,
    columns: 3,
    columnPadding: 24,
    labelLimit: 300,
  }
  return {
    ...STYLE,
    title: {
      offset: 22,
      text: 'How fast others train, beside gradus',
      subtitle: ['one core, medians, the best of each kind;', 'the figures are those of gradus as it comes'],
    },
    width: 430,
    height: { step: 30 },
    data: { values },
    layer: [
      {
        data: { values: [{ times: 1 }] },
        mark: { type: 'rule', color: INK, strokeWidth: 1.5 },
        encoding: { x: { field: 'times', type: 'quantitative' } },
      },
      {
        data: { values: [{ times: 1, text: 'gradus' }] },
        mark: { type: 'text', color: INK, fontSize: 13, baseline: 'bottom' },
        encoding: { x: { field: 'times', type: 'quantitative' }, y: { value: -3 }, text: { field: 'text' } },
      },
      ...OTHERS.map(({ title }, i) => ({
        transform: [{ filter: { field: 'group', equal: title } }],
        mark: { type: 'point', filled: true, size: 110, opacity: 1, yOffset: DODGE * (i - (OTHERS.length - 1) / 2) },
        encoding: {
          y,
          x: {
            field: 'times',
            type: 'quantitative',
            scale: { type: 'log', domain: [0.001, 10] },
            title: '← slower\u2003\u2003times the speed of gradus\u2003\u2003faster →',
            axis: {
              values: [0.001, 0.01, 0.1, 1, 10],
              labelExpr: "datum.value < 1 ? '1/' + format(round(1 / datum.value), ',') : '' + datum.value",
              titleColor: GUIDE,
              titlePadding: 10,
            },
          },
          color: { field: 'group', scale: { domain, range: COLOURS }, legend },
          shape: { field: 'group', scale: { domain, range: SHAPES }, legend },
        },
      })),
    ],
    resolve: {},
  } as TopLevelSpec
}

/** The picture. */
export async function draw(peers: Peers): Promise<string> {
  return toSvg(picture(peers))
}
