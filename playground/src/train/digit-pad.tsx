/** A pad to draw a digit, with the net's prediction. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { Button } from '../ui/controls'
import { token } from '../ui/palette'

const SIDE = 14
const SCALE = 12

export function DigitPad({ onDigit, outputs }: { onDigit(pixels: Float32Array): void; outputs: readonly number[] | null }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const last = useRef<[number, number] | null>(null)
  const isEmpty = useSignal(true)
  const clear = () => {
    const context = canvas.current!.getContext('2d')!
    context.fillStyle = '#000'
    context.fillRect(0, 0, SIDE * SCALE, SIDE * SCALE)
    isEmpty.value = true
  }
  useEffect(clear, [])
  const draw = (e: PointerEvent) => {
    const box = canvas.current!.getBoundingClientRect()
    const at: [number, number] = [((e.clientX - box.left) / box.width) * SIDE * SCALE, ((e.clientY - box.top) / box.height) * SIDE * SCALE]
    const context = canvas.current!.getContext('2d')!
    context.strokeStyle = '#fff'
    context.lineCap = 'round'
    context.lineWidth = SCALE * 1.7
    context.beginPath()
    context.moveTo(...(last.current ?? at))
    context.lineTo(...at)
    context.stroke()
    last.current = at
    isEmpty.value = false
    onDigit(pixelsOf(canvas.current!))
  }
  const best = outputs && !isEmpty.value ? outputs.indexOf(Math.max(...outputs)) : -1
  return (
    <div class="digit-pad">
      <div class="pad">
        <canvas
          ref={canvas}
          width={SIDE * SCALE}
          height={SIDE * SCALE}
          role="img"
          aria-label="Draw a digit here"
          onPointerDown={(e) => {
            e.currentTarget.setPointerCapture(e.pointerId)
            last.current = null
            draw(e)
          }}
          onPointerMove={(e) => e.buttons > 0 && draw(e)}
        />
        {isEmpty.value && <span aria-hidden="true">draw a digit here</span>}
      </div>
      <div>
        <p class="says">
          {best < 0 ? 'Which digit does the net see?' : `The net says ${best}, ${Math.round(100 * outputs![best])} % sure.`}
        </p>
        <div class="bars" aria-hidden="true">
          {(outputs ?? new Array(10).fill(0)).map((p, i) => (
            <span key={i}>
              <i style={{ height: `${isEmpty.value ? 0 : Math.round(46 * p)}px`, background: token('accent') }} />
              {i}
            </span>
          ))}
        </div>
        <Button onClick={clear}>Clear</Button>
      </div>
    </div>
  )
}

/** 14 × 14 shares of ink, with the center of the ink in the middle, as the digits of the set have it. */
function pixelsOf(canvas: HTMLCanvasElement): Float32Array {
  const { data, width } = canvas.getContext('2d', { willReadFrequently: true })!.getImageData(0, 0, SIDE * SCALE, SIDE * SCALE)
  const ink = (x: number, y: number) => (x < 0 || y < 0 || x >= width || y >= width ? 0 : data[4 * (y * width + x)] / 255)
  let [total, cx, cy] = [0, 0, 0]
  for (let y = 0; y < width; y += 2) {
    for (let x = 0; x < width; x += 2) {
      total += ink(x, y)
      cx += x * ink(x, y)
      cy += y * ink(x, y)
    }
  }
  if (total === 0) return new Float32Array(SIDE * SIDE)
  const [dx, dy] = [Math.round(cx / total - width / 2), Math.round(cy / total - width / 2)]
  return Float32Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [column, row] = [i % SIDE, Math.floor(i / SIDE)]
    let sum = 0
    for (let y = 0; y < SCALE; y += 3) for (let x = 0; x < SCALE; x += 3) sum += ink(column * SCALE + x + dx, row * SCALE + y + dy)
    return sum / (SCALE / 3) ** 2
  })
}
