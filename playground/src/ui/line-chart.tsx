/** Curves over one axis, by uPlot. */
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { short } from './controls'
import { isDark, token } from './palette'

export interface Line {
  label: string
  colour: string
  dash?: number[]
  width?: number
}

export interface Mark {
  x: number
  text: string
}

interface Props {
  /** The x values, then one list for each line; null where a line has no point. */
  data: readonly (readonly (number | null)[] | Float64Array)[]
  lines: readonly Line[]
  title: string
  xLabel: string
  height?: number
  log?: boolean
  /** Upright lines with a word. */
  marks?: readonly Mark[]
  /** The place of a playhead on the x axis. */
  at?: number
  xRange?: readonly [number, number]
  xLog?: boolean
}

export function LineChart({ data, lines, title, xLabel, height = 200, log = false, marks = [], at, xRange, xLog = false }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const live = useRef({ marks, at, xRange })
  live.current = { marks, at, xRange }
  // A line that is chosen but not computed yet has no points.
  const aligned = [data[0], ...lines.map((_, i) => data[i + 1] ?? Array.from(data[0], () => null))] as uPlot.AlignedData
  const shape = JSON.stringify([lines, log, xLabel, isDark.value, xRange !== undefined, xLog, height])
  useEffect(() => {
    const element = box.current!
    const grid = { stroke: token('line'), width: 1 }
    // Of a logarithmic axis the decades are enough, of a long one every second or third.
    const decades = (_: uPlot, splits: number[]) => {
      const powers = splits.map((v) => Math.log10(v))
      const whole = powers.filter((p) => Math.abs(p - Math.round(p)) < 1e-9)
      const every = Math.max(1, Math.ceil(whole.length / 6))
      return splits.map((v, i) =>
        whole.length < 2 || (Math.abs(powers[i] - Math.round(powers[i])) < 1e-9 && Math.round(powers[i]) % every === 0) ? v : null,
      )
    }
    const logarithmic = { grid: { ...grid, filter: decades }, ticks: { ...grid, filter: decades }, filter: decades }
    const axis = { stroke: token('soft'), grid, ticks: grid, font: '12px system-ui, sans-serif' }
    const size = () => ({ width: Math.max(element.clientWidth, 120), height })
    const values = (_: uPlot, splits: number[]) => splits.map((v) => (v === null ? '' : short(v)))
    plot.current = new uPlot(
      {
        ...size(),
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        scales: {
          x: { time: false, distr: xLog ? 3 : 1, ...(xRange ? { range: () => [...live.current.xRange!] as [number, number] } : {}) },
          y: { distr: log ? 3 : 1 },
        },
        axes: [
          {
            ...axis,
            label: xLabel,
            labelSize: 18,
            labelFont: '12px system-ui, sans-serif',
            size: 34,
            values: xLog ? values : undefined,
            ...(xLog ? logarithmic : {}),
          },
          { ...axis, size: 58, values, ...(log ? logarithmic : {}) },
        ],
        series: [
          {},
          ...lines.map(({ colour, dash, width = 1.8, label }) => ({ label, stroke: colour, width, dash, points: { show: false } })),
        ],
        hooks: { draw: [(u: uPlot) => overlay(u, live.current)] },
      } as uPlot.Options,
      aligned,
      element,
    )
    const observer = new ResizeObserver(() => plot.current?.setSize(size()))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.current?.destroy()
    }
  }, [shape])
  useEffect(() => plot.current?.setData(aligned), [data])
  useEffect(() => plot.current?.redraw(false), [at, marks])
  return (
    <figure class="chart" aria-label={title}>
      <figcaption>{title}</figcaption>
      <div ref={box} />
    </figure>
  )
}

function overlay(u: uPlot, { marks, at }: { marks: readonly Mark[]; at?: number }): void {
  const { ctx, bbox } = u
  const ratio = devicePixelRatio || 1
  const upright = (x: number, style: string) => {
    const px = Math.round(u.valToPos(x, 'x', true))
    if (px < bbox.left || px > bbox.left + bbox.width) return null
    ctx.strokeStyle = style
    ctx.beginPath()
    ctx.moveTo(px, bbox.top)
    ctx.lineTo(px, bbox.top + bbox.height)
    ctx.stroke()
    return px
  }
  ctx.save()
  ctx.lineWidth = ratio
  ctx.font = `${11 * ratio}px system-ui, sans-serif`
  marks.forEach(({ x, text }, i) => {
    const px = upright(x, token('soft'))
    if (px === null) return
    ctx.fillStyle = token('soft')
    ctx.fillText(text, px + 4 * ratio, bbox.top + (12 + 13 * (i % 3)) * ratio)
  })
  if (at !== undefined) upright(at, token('accent'))
  ctx.restore()
}
