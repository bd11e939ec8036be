/** A canvas as large as its box and as sharp as the screen. */
import type { CanvasHTMLAttributes } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

export interface Painting {
  context: CanvasRenderingContext2D
  width: number
  height: number
}

interface Props extends Omit<CanvasHTMLAttributes<HTMLCanvasElement>, 'ref' | 'label'> {
  /** Paints all of it, in CSS pixels; called when `when` changes or the size. */
  paint(painting: Painting): void
  /** Values on which the picture depends. */
  when: readonly unknown[]
  /** Description for people who do not see it; none for a layer above a picture that has one. */
  label?: string
}

export function Canvas({ paint, when, label, ...rest }: Props) {
  const ref = useRef<HTMLCanvasElement>(null)
  const latest = useRef(paint)
  latest.current = paint
  const draw = useRef(() => {
    const canvas = ref.current
    const context = canvas?.getContext('2d')
    if (!canvas || !context) return
    const { clientWidth: width, clientHeight: height } = canvas
    // not laid out yet
    if (width === 0 || height === 0) return
    const ratio = Math.min(devicePixelRatio || 1, 2)
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio)
      canvas.height = Math.round(height * ratio)
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    latest.current({ context, width, height })
  })
  useEffect(() => draw.current(), when)
  useEffect(() => {
    const observer = new ResizeObserver(() => draw.current())
    observer.observe(ref.current!)
    return () => observer.disconnect()
  }, [])
  return <canvas ref={ref} {...(label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': true })} {...rest} />
}
