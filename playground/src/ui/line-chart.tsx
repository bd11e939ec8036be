/** Curves over one axis, on a canvas. A chart library would take more than all the rest of this page's own code (README.md). */
import { useSignal } from '@preact/signals'
import { useMemo, useRef } from 'preact/hooks'
import { type Axis, axisOf, isShown, rangeOf } from '../../../ts/plot/scale'
import { Canvas, type Painting } from './canvas'
import { short } from './controls'
import { drawLabels, type Label, type Piece } from './labels'
import { isDark, token } from './palette'

export interface Line {
  label: string
  colour: string
  dash?: number[]
  width?: number
  /** Without its name at its end. */
  isUnnamed?: boolean
}

export interface Mark {
  x: number
  text: string
}

/** A part of the x axis, with a word at its lower end. */
export interface Zone {
  from: number
  to: number
  text: string
  colour: string
}

/** A knob at the end of a line, by which one moves it up and down. */
export interface Knob {
  /** The line's index. */
  line: number
  /** Name of the value that it sets, with the value. */
  label: string
  text: string
  /** The range of the line's end; both limits are in view. */
  range: readonly [low: number, high: number]
  /** Called with the requested value while it is dragged. */
  onMove(value: number): void
  /** Called when it is released: the new value applies from now on. */
  onRelease(): void
}

type Column = readonly (number | null)[] | Float64Array

interface Props {
  /** The x values, ascending, then one list for each line; null where a line has no point. */
  data: readonly Column[]
  lines: readonly Line[]
  title: string
  xLabel: string
  height?: number
  log?: boolean
  /** Upright lines with a word. */
  marks?: readonly Mark[]
  zones?: readonly Zone[]
  knobs?: readonly Knob[]
  /** The place of a playhead on the x axis. */
  at?: number
  xRange?: readonly [number, number]
  xLog?: boolean
}

/** Room around the lines, in pixels. */
const [LEFT, RIGHT, TOP] = [54, 12, 8]
const FONT = '12px system-ui, sans-serif'

export function LineChart({
  data,
  lines,
  title,
  xLabel,
  height = 200,
  log = false,
  marks = [],
  zones = [],
  knobs = [],
  at,
  xRange,
  xLog = false,
}: Props) {
  /** Where the pointer is, in pixels; null where it is elsewhere. */
  const pointer = useSignal<number | null>(null)
  const [xs, ...columns] = data
  const bottom = xLabel === '' ? 24 : 40
  const looks = [data, log, xLog, xLabel, isDark.value, xRange?.join(), JSON.stringify(lines)]
  // Ranges look at every number, and the picture that moves is painted in each frame.
  const ranges = knobs.map(({ range }) => range)
  const [xSpan, ySpan] = useMemo(
    () => [xRange ?? rangeOf([xs], xLog), rangeOf([...columns, ...ranges], log)],
    [...looks, JSON.stringify(ranges)],
  )
  const axes = (width: number) => ({
    x: axisOf(xSpan, { log: xLog, from: LEFT, to: width - RIGHT, text: short }),
    y: axisOf(ySpan, { log, from: height - bottom, to: TOP, spacing: 34, margin: 0.05, text: short }),
  })
  const paintLines = ({ context, width }: Painting) => {
    const { x, y } = axes(width)
    context.font = FONT
    drawGrid(context, x, y, width)
    if (xLabel !== '') context.fillText(xLabel, (LEFT + width - RIGHT) / 2, height - 6)
    context.save()
    context.beginPath()
    context.rect(LEFT, TOP - 2, width - LEFT - RIGHT, height - bottom - TOP + 4)
    context.clip()
    zones.forEach(({ from, to, text, colour }, i) => {
      const [start, end] = [x.place(from), x.place(to)]
      context.fillStyle = `${colour}1c`
      context.fillRect(start, TOP, end - start, height)
      context.fillStyle = colour
      const half = context.measureText(text).width / 2
      context.fillText(text, Math.min((start + end) / 2, width - RIGHT - half), height - bottom - 6 - 13 * (i % 2))
    })
    lines.forEach((line, i) => {
      if (columns[i]) drawLine(context, line, xs, columns[i], x, y, log)
    })
    marks.forEach(({ x: value, text }, i) => {
      const place = upright(context, value, x, y, token('soft'))
      // The text is on the side with enough room.
      const isLeft = place + 4 + context.measureText(text).width > width - RIGHT
      context.textAlign = isLeft ? 'right' : 'left'
      context.fillText(text, place + (isLeft ? -4 : 4), TOP + 10 + 13 * (i % 3))
    })
    context.restore()
    if (lines.length > 1)
      drawLabels(
        context,
        lines.flatMap((line, i) => nameAtEnd(line, xs, columns[i], x, y, log)),
        width - RIGHT,
        height - bottom,
        (from, to) => columns.flatMap((ys) => piecesOf(xs, ys, { x, y, log }, from, to)),
      )
  }
  const paintPlayhead = ({ context, width }: Painting) => {
    const { x, y } = axes(width)
    context.font = FONT
    if (at !== undefined) upright(context, at, x, y, token('accent'))
    if (pointer.value !== null) drawValues(context, nearest(xs, x, pointer.value), { data, lines, x, y, width })
  }
  const last = lines.map(({ label }, i) => `${label} ${short(lastOf(columns[i] ?? []))}`)
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div
        class="stack"
        style={{ height: `${height}px` }}
        onPointerMove={(e) => {
          pointer.value = e.offsetX
        }}
        onPointerLeave={() => {
          pointer.value = null
        }}
      >
        <Canvas paint={paintLines} when={[...looks, JSON.stringify([marks, zones])]} label={`${title}. Last values: ${last.join(', ')}`} />
        <Canvas paint={paintPlayhead} when={[...looks, at, pointer.value]} />
        {knobs.map((knob) => (
          <KnobView
            key={knob.line}
            knob={knob}
            colour={lines[knob.line].colour}
            end={lastOf(columns[knob.line])}
            share={((xs[xs.length - 1] as number) - xSpan[0]) / (xSpan[1] - xSpan[0])}
            y={axes(0).y}
          />
        ))}
      </div>
    </figure>
  )
}

function KnobView({ knob, colour, end, share, y }: { knob: Knob; colour: string; end: number; share: number; y: Axis }) {
  const { label, text, range, onMove, onRelease } = knob
  const move = (value: number) => onMove(Math.min(Math.max(value, range[0]), range[1]))
  /** From the middle of the knob to where it was taken hold of, in pixels; null while it is not held. */
  const held = useRef<number | null>(null)
  const release = () => {
    if (held.current !== null) onRelease()
    held.current = null
  }
  return (
    <button
      type="button"
      class="knob"
      role="slider"
      aria-label={label}
      aria-orientation="vertical"
      aria-valuemin={range[0]}
      aria-valuemax={range[1]}
      aria-valuenow={end}
      aria-valuetext={text}
      style={{
        left: `calc(${LEFT}px + ${share} * (100% - ${LEFT + RIGHT}px))`,
        top: `${y.place(Number.isNaN(end) ? range[1] : end)}px`,
        color: colour,
      }}
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId)
        held.current = e.clientY - y.place(end)
      }}
      onPointerMove={(e) => {
        if (held.current !== null) move(y.value(e.clientY - held.current))
      }}
      onPointerUp={release}
      onPointerCancel={release}
      onKeyDown={(e) => {
        const by = { ArrowUp: -3, ArrowDown: 3 }[e.key]
        if (by === undefined) return
        e.preventDefault()
        move(y.value(y.place(end) + by))
        onRelease()
      }}
    >
      <span>{text}</span>
    </button>
  )
}

function drawGrid(context: CanvasRenderingContext2D, x: Axis, y: Axis, width: number): void {
  context.lineWidth = 1
  context.strokeStyle = token('line')
  context.fillStyle = token('soft')
  context.beginPath()
  context.textAlign = 'center'
  for (const tick of x.ticks) {
    const place = Math.round(tick.place) + 0.5
    context.moveTo(place, y.from)
    context.lineTo(place, y.to)
    const half = context.measureText(tick.text).width / 2
    context.fillText(tick.text, Math.min(place, width - half), y.from + 16)
  }
  context.textAlign = 'right'
  for (const tick of y.ticks) {
    const place = Math.round(tick.place) + 0.5
    context.moveTo(x.from, place)
    context.lineTo(x.to, place)
    context.fillText(tick.text, x.from - 6, place + 4)
  }
  context.stroke()
  context.textAlign = 'center'
}

function drawLine(context: CanvasRenderingContext2D, line: Line, xs: Column, ys: Column, x: Axis, y: Axis, log: boolean): void {
  context.strokeStyle = line.colour
  context.lineWidth = line.width ?? 1.8
  context.lineJoin = 'round'
  context.setLineDash(line.dash ?? [])
  context.beginPath()
  let isDown = false
  for (let i = 0; i < xs.length; i++) {
    const value = ys[i] ?? null
    if (isShown(value, log)) {
      if (isDown) context.lineTo(x.place(xs[i] as number), y.place(value))
      else context.moveTo(x.place(xs[i] as number), y.place(value))
      isDown = true
    } else isDown = false
  }
  context.stroke()
  context.setLineDash([])
  context.lineWidth = 1
}

/** The name of a line, just above its last point; nothing where it has none. */
function nameAtEnd({ label, colour, isUnnamed }: Line, xs: Column, ys: Column | undefined, x: Axis, y: Axis, log: boolean): Label[] {
  if (isUnnamed || !ys) return []
  let i = Math.min(xs.length, ys.length) - 1
  while (i >= 0 && !(isShown(ys[i], log) && x.place(xs[i] as number) <= x.to)) i--
  return i < 0 ? [] : [{ text: label, colour, x: x.place(xs[i] as number), y: y.place(ys[i] as number) }]
}

/** The pieces of a line between two pixels of the x axis. */
function piecesOf(xs: Column, ys: Column, { x, y, log }: { x: Axis; y: Axis; log: boolean }, from: number, to: number): Piece[] {
  const pieces: Piece[] = []
  for (let i = 1; i < Math.min(xs.length, ys.length); i++) {
    const [a, b] = [ys[i - 1], ys[i]]
    if (!isShown(a, log) || !isShown(b, log)) continue
    const [start, end] = [x.place(xs[i - 1] as number), x.place(xs[i] as number)]
    if (end <= from || start >= to) continue
    // Only the part between the two pixels counts: a long slope crosses few lines of text there.
    const [high, low] = [from, to].map(
      (pixel) => y.place(a) + (y.place(b) - y.place(a)) * Math.min(1, Math.max(0, (pixel - start) / (end - start))),
    )
    pieces.push({ from: start, to: end, top: Math.min(high, low), bottom: Math.max(high, low) })
  }
  return pieces
}

/** @returns its pixel */
function upright(context: CanvasRenderingContext2D, value: number, x: Axis, y: Axis, colour: string): number {
  const place = x.place(value)
  context.strokeStyle = colour
  context.fillStyle = colour
  context.beginPath()
  context.moveTo(place, y.from)
  context.lineTo(place, y.to)
  context.stroke()
  return place
}

/** The index whose x is nearest to a place. */
function nearest(xs: Column, x: Axis, place: number): number {
  let best = -1
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < xs.length; i++) {
    const distance = Math.abs(x.place(xs[i] as number) - place)
    if (distance < least) [best, least] = [i, distance]
  }
  return best
}

/** The values of the lines at a point, in a box beside it. */
function drawValues(
  context: CanvasRenderingContext2D,
  index: number,
  { data, lines, x, y, width }: Pick<Props, 'data' | 'lines'> & { x: Axis; y: Axis; width: number },
): void {
  if (index < 0) return
  const [xs, ...columns] = data
  const place = upright(context, xs[index] as number, x, y, token('soft'))
  const rows = lines.flatMap(({ label, colour }, i) => {
    const value = columns[i]?.[index] ?? null
    return value === null || Number.isNaN(value) ? [] : [{ text: `${label} ${short(value)}`, colour }]
  })
  const all = [{ text: short(xs[index] as number), colour: token('soft') }, ...rows]
  const wide = Math.max(...all.map(({ text }) => context.measureText(text).width)) + 16
  const left = place + wide + 8 > width ? place - wide - 8 : place + 8
  context.fillStyle = token('panel')
  context.strokeStyle = token('line')
  context.beginPath()
  context.rect(left, TOP, wide, 15 * all.length + 8)
  context.fill()
  context.stroke()
  context.textAlign = 'left'
  all.forEach(({ text, colour }, i) => {
    context.fillStyle = colour
    context.fillText(text, left + 8, TOP + 16 + 15 * i)
  })
}

const lastOf = (column: Column): number => {
  for (let i = column.length - 1; i >= 0; i--) if (column[i] !== null) return column[i] as number
  return Number.NaN
}
