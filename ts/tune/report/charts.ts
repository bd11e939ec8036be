/** Charts of a study as SVG. Colours are classes, which the page gives for light and dark. @internal */
import type { Axis } from '../space.js'
import { escaped, number, shown } from './format.js'

/** A place on a page: what it shows from one end to the other. */
export interface Scale {
  /** 0 to 1, from left to right or from bottom to top. */
  share(value: number): number
  readonly ticks: readonly { share: number; text: string }[]
}

/** Qualities from worst to best, which are classes q0 to q5. */
export const QUALITIES = 6

const SIZE = { width: 420, height: 280, left: 52, right: 14, top: 12, bottom: 40 }

interface Frame {
  x(share: number): number
  y(share: number): number
}

/** A chart with axes around what `draw` makes. */
export function chart(
  label: { title: string; x: string; y: string },
  scales: { x: Scale; y: Scale },
  draw: (frame: Frame) => string,
  size = SIZE,
): string {
  const { width, height, left, right, top, bottom } = size
  const frame: Frame = {
    x: (share) => left + share * (width - left - right),
    y: (share) => height - bottom - share * (height - top - bottom),
  }
  const xTicks = scales.x.ticks.map(({ share, text }) => {
    const x = round(frame.x(share))
    return `<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${height - bottom}"/><text x="${x}" y="${height - bottom + 15}" text-anchor="middle">${escaped(text)}</text>`
  })
  const yTicks = scales.y.ticks.map(({ share, text }) => {
    const y = round(frame.y(share))
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/><text x="${left - 6}" y="${y + 4}" text-anchor="end">${escaped(text)}</text>`
  })
  const names = `<text class="name" x="${(left + width - right) / 2}" y="${height - 6}" text-anchor="middle">${escaped(label.x)}</text>`
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label.title)}">${xTicks.join('')}${yTicks.join('')}${names}${draw(frame)}</svg>`
}

/** A scale for numbers, linear. */
export function linear(values: readonly number[]): Scale {
  const finite = values.filter(Number.isFinite)
  let [low, high] = finite.length > 0 ? [finite.reduce((a, b) => Math.min(a, b)), finite.reduce((a, b) => Math.max(a, b))] : [0, 1]
  if (low === high) [low, high] = [low - 0.5, high + 0.5]
  const margin = 0.04 * (high - low)
  ;[low, high] = [low - margin, high + margin]
  const step = niceStep((high - low) / 4)
  const ticks = []
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) {
    const value = Math.abs(tick) < step / 1e6 ? 0 : tick
    ticks.push({ share: (value - low) / (high - low), text: number(Number(value.toPrecision(6))) })
  }
  return { share: (value) => Math.min(1, Math.max(0, (value - low) / (high - low))), ticks }
}

/** A scale for losses that span powers of ten is logarithmic, with 0 at the lower end; else linear. */
export function lossScale(values: readonly number[]): Scale {
  const finite = values.filter(Number.isFinite).sort((a, b) => a - b)
  const positive = finite.filter((value) => value > 0)
  if (positive.length < 3 || finite[0] < 0 || positive[positive.length - 1] / positive[0] < 10) {
    // one that went wrong would press all others together
    const cut = finite[Math.floor(0.95 * (finite.length - 1))]
    const usual = finite.filter((value) => value <= cut + 2 * (cut - finite[0]))
    return linear(usual)
  }
  const scale = linear(positive.map(Math.log10))
  const ticks = scale.ticks.filter(({ text }) => Number.isInteger(Number(text)))
  return {
    share: (value) => (value > 0 ? scale.share(Math.log10(value)) : 0),
    ticks: (ticks.length > 1 ? ticks : scale.ticks).map(({ share, text }) => ({ share, text: number(powerOfTen(Number(text))) })),
  }
}

/** A whole power as it is written: 10 ** -4 is a little less than 0.0001. */
function powerOfTen(exponent: number): number {
  return Number.isInteger(exponent) ? Number(`1e${exponent}`) : 10 ** exponent
}

/** The scale of a parameter: its range, logarithmic where the range is. */
export function axisScale(axis: Axis): Scale {
  const { range } = axis
  if (range.kind === 'categorical') {
    const ticks = range.choices.map((choice, i) => ({ share: (i + 0.5) / range.choices.length, text: shown(choice) }))
    return { share: (index) => (index + 0.5) / range.choices.length, ticks }
  }
  const place = (share: number) => 0.04 + 0.92 * share
  const values = range.log ? powers(range.low, range.high) : steps(range.low, range.high, range.kind === 'int')
  const ticks = values.map((value) => ({ share: place(axis.share(range.log ? Math.log(value) : value)), text: number(value) }))
  return { share: (coordinate) => place(axis.share(coordinate)), ticks }
}

function powers(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)]
  if (last - first < 1) {
    const twos = []
    for (let value = 2 ** Math.ceil(Math.log2(low) - 1e-9); value <= high * 1.0001; value *= 2) twos.push(value)
    return twos.length > 1 ? twos : [low, high]
  }
  const every = Math.ceil((last - first + 1) / 6)
  return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => Number(`1e${first + i * every}`))
}

function steps(low: number, high: number, isWhole: boolean): number[] {
  if (low === high) return [low]
  const step = Math.max(isWhole ? 1 : 0, niceStep((high - low) / 5))
  const out = []
  for (let tick = Math.ceil(low / step - 1e-9) * step; tick <= high + step * 1e-9; tick += step) out.push(Number(tick.toPrecision(10)))
  return out
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough))
  const leading = rough / power
  return power * (leading < 1.5 ? 1 : leading < 3.5 ? 2 : leading < 7.5 ? 5 : 10)
}

export function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** A point with what it says when the pointer is on it. */
export function dot(x: number, y: number, quality: number, title: string): string {
  return `<circle class="q${quality}" cx="${round(x)}" cy="${round(y)}" r="3.2"><title>${escaped(title)}</title></circle>`
}

export function line(points: readonly (readonly [number, number])[], className: string, title = ''): string {
  const path = points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')
  return `<polyline class="${className}" points="${path}">${title === '' ? '' : `<title>${escaped(title)}</title>`}</polyline>`
}
