/** Square pictures in rows. */
import { useSignal } from '@preact/signals'
import { squarePicture } from '../train/pictures'
import { Canvas } from '../ui/canvas'
import { isDark, signed, token } from '../ui/palette'

type Context = CanvasRenderingContext2D

interface Props {
  title: string
  pictures: readonly Float32Array[]
  columns: number
  paint(context: Context, picture: Float32Array, box: { left: number; top: number; side: number }): void
  /** Further values on which the pictures depend. */
  when?: readonly unknown[]
  /** The index of the picture under the pointer. */
  onPoint?(index: number | null): void
}

const GAP = 5

export function Grid({ title, pictures, columns, paint, when = [], onPoint }: Props) {
  const pointed = useSignal<number | null>(null)
  const rows = Math.ceil(pictures.length / columns)
  const point = (index: number | null) => {
    if (index === pointed.value) return
    pointed.value = index
    onPoint?.(index)
  }
  const boxOf = (i: number, width: number) => {
    const side = (width + GAP) / columns - GAP
    return { left: (i % columns) * (side + GAP), top: Math.floor(i / columns) * (side + GAP), side }
  }
  return (
    <figure>
      <figcaption>{title}</figcaption>
      <Canvas
        label={`${title}: ${pictures.length === 1 ? 'a picture' : `${pictures.length} pictures`}`}
        style={{ aspectRatio: `${columns} / ${rows}` }}
        when={[pictures, isDark.value, pointed.value, ...when]}
        paint={({ context: c, width }) =>
          pictures.forEach((values, i) => {
            const box = boxOf(i, width)
            paint(c, values, box)
            c.lineWidth = i === pointed.value ? 3 : 1
            c.strokeStyle = token(i === pointed.value ? 'accent' : 'line')
            c.strokeRect(box.left + 0.5, box.top + 0.5, box.side - 1, box.side - 1)
          })
        }
        onPointerMove={
          onPoint &&
          ((e) => {
            const { width } = e.currentTarget.getBoundingClientRect()
            const [column, row] = [e.offsetX, e.offsetY].map((v) => Math.floor((v * columns) / width))
            const index = row * columns + column
            point(index < pictures.length ? index : null)
          })
        }
        onPointerLeave={onPoint && (() => point(null))}
      />
    </figure>
  )
}

/** Numbers as a picture: blue above 0, orange below. */
export function paintMap(c: Context, values: Float32Array, { left, top, side }: { left: number; top: number; side: number }): void {
  const most = values.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-6)
  c.imageSmoothingEnabled = false
  c.drawImage(
    squarePicture(values, (v) => signed(v / most), true),
    left,
    top,
    side,
    side,
  )
}

/** A digit as ink, with what its places say laid over it. */
export function paintEvidence(
  c: Context,
  pixels: Float32Array,
  values: Float32Array,
  box: { left: number; top: number; side: number },
): void {
  const { left, top, side } = box
  paintMap(c, values, box)
  const ink = isDark.value ? 255 : 0
  c.imageSmoothingEnabled = true
  // Ink lets what is below shine through.
  const shine = (v: number) => [ink, ink, ink, 165 * v] as const
  c.drawImage(squarePicture(pixels, shine, true), left, top, side, side)
}
