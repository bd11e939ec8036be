/** Paints a net: its units as small pictures with their weights between them, and its boundary with the data. */
import type { Painting } from '../ui/canvas'
import { gridPicture, type Rgba } from '../ui/grid-picture'
import { rgbOf } from '../ui/hex'
import { css, isDark, signed, token } from '../ui/palette'
import type { Examples, Part } from './examples'
import { layoutOf } from './layout'
import type { Pointed } from './pointed'
import type { NetView } from './view'

const CLASSES_LIGHT = ['#c65a00', '#0068a8', '#008060', '#b5487f', '#7a6200', '#5b4fc4', '#3a8fc7', '#5c5c5c', '#a03030', '#306030']
const CLASSES_DARK = ['#ff9a4d', '#58b4ea', '#2fc49a', '#e58bb9', '#e6c229', '#a29bfe', '#8fd3ff', '#b5b5b5', '#ff8a80', '#9ccc65']

/** The color of a class. */
export const classColour = (label: number): string => (isDark.value ? CLASSES_DARK : CLASSES_LIGHT)[label % CLASSES_LIGHT.length]

/** Strength of a class's color if the net is sure: below that of points of the class, so that these stand out. */
const SURE = 0.55

/** With a unit in place of the net's answer where one is given. */
export function paintBoundary({ context: c, width, height }: Painting, view: NetView, examples: Examples, unit?: Float32Array): void {
  const { boundary, axes } = view
  if (unit) c.drawImage(scaledPicture(unit), 0, 0, width, height)
  else if (boundary.length > 0)
    c.drawImage(
      examples.classes === 2 ? squarePicture(boundary, (value) => signed(SURE * value)) : classPicture(boundary),
      0,
      0,
      width,
      height,
    )
  const [[left, right], [bottom, top]] = examples.range
  const [ground, ink] = [token('ground'), token('ink')]
  const dots = ({ inputs, labels, count }: Part, isTest: boolean) => {
    for (let i = 0; i < count; i++) {
      const x = ((inputs[i * examples.features + axes[0]] - left) / (right - left)) * width
      const y = height - ((inputs[i * examples.features + axes[1]] - bottom) / (top - bottom)) * height
      c.beginPath()
      c.arc(x, y, isTest ? 3 : 3.4, 0, 2 * Math.PI)
      c.fillStyle = isTest ? ground : classColour(labels[i])
      c.strokeStyle = isTest ? classColour(labels[i]) : ink
      c.lineWidth = isTest ? 2 : 0.9
      c.fill()
      c.stroke()
    }
  }
  dots(examples.train, false)
  dots(examples.test, true)
}

/** A square grid as a picture, rows from the bottom, or from the top. */
export const squarePicture = (values: ArrayLike<number>, paint: (value: number) => Rgba, isFromTop = false) =>
  gridPicture(Math.sqrt(values.length), Math.sqrt(values.length), (i) => paint(values[i]), isFromTop)

function classPicture(values: Float32Array): HTMLCanvasElement {
  const ground = rgbOf(token('ground'))
  return squarePicture(values, (value) => {
    const label = Math.floor(value)
    const sure = Math.min(Math.max(value - label, 0), 1) * SURE
    const [r, g, b] = rgbOf(classColour(label))
    return [ground[0] + (r - ground[0]) * sure, ground[1] + (g - ground[1]) * sure, ground[2] + (b - ground[2]) * sure]
  })
}

/** Columns of units; a line is as thick as its weight is large, blue above zero, orange below. */
export function paintNet({ context: c, width, height }: Painting, view: NetView, examples: Examples, pointed: Pointed | null = null): void {
  const { weights, units } = view
  if (weights.length === 0) return
  if (examples.features > 100) return paintWeightPictures(c, width, height, weights[0])
  const inputs = Math.min(examples.features, 8)
  const sizes = [inputs, ...weights.map(({ units }) => units)]
  const columns = sizes.length
  const { box, x, y } = layoutOf(sizes, width, height)
  weights.forEach(({ values, inputs: rows, units: n }, layer) => {
    const largest = values.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-6)
    const shown = Math.min(rows, sizes[layer])
    for (let i = 0; i < shown; i++) {
      for (let k = 0; k < n; k++) {
        const share = values[i * n + k] / largest
        c.strokeStyle = css(signed(share < 0 ? -1 : 1), 0.12 + 0.75 * Math.abs(share))
        c.lineWidth = 0.4 + 2.6 * Math.abs(share)
        if (pointed?.kind === 'weight' && pointed.layer === layer && pointed.from === i && pointed.to === k) {
          c.strokeStyle = token('ink')
          c.lineWidth = 4
        }
        c.beginPath()
        const [ax, bx] = [x(layer) + box / 2, x(layer + 1) - box / 2]
        c.moveTo(ax, y(layer, i))
        c.bezierCurveTo((ax + bx) / 2, y(layer, i), (ax + bx) / 2, y(layer + 1, k), bx, y(layer + 1, k))
        c.stroke()
      }
    }
  })
  const frame = (column: number, i: number, paint: (left: number, top: number) => void) => {
    const [left, top] = [x(column) - box / 2, y(column, i) - box / 2]
    paint(left, top)
    const isPointed = pointed?.kind === 'unit' && pointed.layer === column - 1 && pointed.unit === i
    c.strokeStyle = token(isPointed ? 'accent' : 'soft')
    c.lineWidth = isPointed ? 4 : 1
    c.strokeRect(left, top, box, box)
  }
  for (let column = 0; column < columns; column++) {
    for (let i = 0; i < sizes[column]; i++) {
      frame(column, i, (left, top) => {
        c.fillStyle = token('panel')
        c.fillRect(left, top, box, box)
        const values = column > 0 && column < columns - 1 ? units[column - 1]?.[i] : undefined
        if (values) c.drawImage(scaledPicture(values), left, top, box, box)
        else if (column === 0 || column === columns - 1) {
          c.fillStyle = column === 0 ? token('ink') : classColour(examples.classes === 2 ? 1 : i)
          c.font = `600 ${Math.max(9, Math.min(13, box * 0.42))}px system-ui, sans-serif`
          c.textAlign = 'center'
          c.textBaseline = 'middle'
          const name = column === 0 ? examples.featureNames[i] : examples.classes === 2 ? examples.classNames[1] : examples.classNames[i]
          c.fillText(shortName(name ?? '', column === 0 ? String(i + 1) : '●'), left + box / 2, top + box / 2 + 1)
        }
      })
    }
  }
}

/** A name that fits into a box, or a substitute: the number of a column, a dot in the color of a class. */
const shortName = (name: string, substitute: string) => (name.length <= 2 ? name : substitute)

function scaledPicture(values: Float32Array): HTMLCanvasElement {
  const largest = values.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-6)
  return squarePicture(values, (v) => signed(v / largest))
}

/** For a net on images, the weights of each unit of the first layer: blue where ink activates it, orange where ink inhibits it. */
function paintWeightPictures(c: CanvasRenderingContext2D, width: number, height: number, layer: NetView['weights'][number]): void {
  const columns = Math.ceil(Math.sqrt((layer.units * width) / height))
  const rows = Math.ceil(layer.units / columns)
  const box = Math.min((width - 12) / columns, (height - 12) / rows) - 6
  c.imageSmoothingEnabled = false
  for (let i = 0; i < layer.units; i++) {
    const left = (width - columns * (box + 6)) / 2 + 3 + (i % columns) * (box + 6)
    const top = (height - rows * (box + 6)) / 2 + 3 + Math.floor(i / columns) * (box + 6)
    c.drawImage(weightPicture(layer, i), left, top, box, box)
  }
}

/** The weights of a unit of the first layer as an image of the size of a digit. */
function weightPicture({ values, inputs, units }: NetView['weights'][number], unit: number): HTMLCanvasElement {
  const own = Float32Array.from({ length: inputs }, (_, i) => values[i * units + unit])
  const largest = own.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-6)
  return squarePicture(own, (v) => signed(v / largest), true)
}

export function paintHistogram({ context: c, width, height }: Painting, bins: readonly number[], stroke: string): void {
  const most = Math.max(...bins, 1)
  const w = width / bins.length
  c.fillStyle = stroke
  bins.forEach((n, i) => {
    const h = (n / most) * (height - 2)
    c.fillRect(i * w, height - h, Math.max(w - 1, 1), h)
  })
  c.fillStyle = token('line')
  c.fillRect(width / 2 - 0.5, 0, 1, height)
}
