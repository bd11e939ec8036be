/** A picture of backpropagation through the net, phase by phase. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { methodOf } from '../methods'
import { Canvas, type Painting } from '../ui/canvas'
import { Button, Slider, short } from '../ui/controls'
import { css, isDark, signed, token } from '../ui/palette'
import type { Backprop } from './backprop'
import { type Phase, phasesOf, phaseText } from './backprop-text'
import { layoutOf } from './layout'

/** Milliseconds of a phase. */
const SLOWLY = 1600
/** Pixels above the net for a few words. */
const WORDS = 16

export function BackpropPanel({
  backprop: latest,
  rows,
  activation,
  method,
  onRow,
}: {
  backprop: Backprop
  /** Number of training rows. */
  rows: number
  activation: string
  method: string
  onRow(row: number): void
}) {
  const at = useSignal(0)
  /** The numbers of one whole round: those of later steps come with the next one. */
  const held = useRef(latest)
  if (held.current.row !== latest.row || held.current.layers.length !== latest.layers.length || at.value === 0) held.current = latest
  const backprop = held.current
  const isRunning = useSignal(true)
  const phases = phasesOf(backprop.layers.length)
  const phase = phases[at.value % phases.length]
  useEffect(() => {
    if (!isRunning.value) return
    const timer = setInterval(() => {
      at.value = (at.value + 1) % phases.length
    }, SLOWLY)
    return () => clearInterval(timer)
  }, [isRunning.value, phases.length])
  const step = (by: number) => {
    isRunning.value = false
    at.value = (at.value + by + phases.length) % phases.length
  }
  const text = phaseText(backprop, phase, { activation, method: methodOf(method).label })
  return (
    <div class="backprop">
      <Canvas
        label={`Backpropagation. ${text}`}
        when={[backprop, at.value, isDark.value]}
        paint={(painting) => paintBackprop(painting, backprop, phase)}
      />
      <div class="playback">
        <Button
          kind="primary"
          label={isRunning.value ? 'Stop the slow motion' : 'Slow motion'}
          onClick={() => {
            isRunning.value = !isRunning.value
          }}
        >
          {isRunning.value ? '❚❚' : '▶'}
        </Button>
        <Button label="One phase back" onClick={() => step(-1)}>
          ‹
        </Button>
        <Button label="One phase on" onClick={() => step(1)}>
          ›
        </Button>
        <Slider label="Row" value={backprop.row + 1} min={1} max={rows} step={1} onChange={(row) => onRow(row - 1)} />
      </div>
      <p class="phase">{text}</p>
    </div>
  )
}

function paintBackprop({ context: c, width, height }: Painting, { inputs, layers }: Backprop, phase: Phase): void {
  const columns = [inputs, ...layers.map(({ values }) => values)]
  c.font = '12px system-ui, sans-serif'
  c.fillStyle = token('soft')
  c.textAlign = 'center'
  c.textBaseline = 'middle'
  const words = { forward: 'values →', loss: 'values →, then the loss', back: '← gradients', step: 'steps of the weights' }[phase.kind]
  c.fillText(words, width / 2, 10)
  // Below the words.
  c.translate(0, WORDS)
  const { box, x, y } = layoutOf(
    columns.map(({ length }) => length),
    width,
    height - WORDS,
  )
  const isReached = (layer: number) => phase.kind !== 'forward' || layer <= phase.layer
  const isBack = (layer: number) => phase.kind === 'step' || (phase.kind === 'back' && layer >= phase.layer)
  layers.forEach(({ weights, gradients, next, values }, layer) => {
    const isHere = 'layer' in phase && phase.layer === layer
    const moved = next.map((v, i) => v - weights[i])
    const shown = phase.kind === 'step' ? moved : isBack(layer) ? gradients : weights
    const most = shown.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-12)
    columns[layer].forEach((_, i) => {
      values.forEach((_, k) => {
        const share = shown[i * values.length + k] / most
        c.strokeStyle = css(signed(share < 0 ? -1 : 1), (isHere || phase.kind === 'step' ? 1 : 0.35) * (0.15 + 0.85 * Math.abs(share)))
        c.lineWidth = 0.5 + 3 * Math.abs(share)
        c.beginPath()
        c.moveTo(x(layer) + box / 2, y(layer, i))
        c.lineTo(x(layer + 1) - box / 2, y(layer + 1, k))
        c.stroke()
      })
    })
  })
  columns.forEach((values, column) => {
    const deltas = column > 0 && isBack(column - 1) ? layers[column - 1].deltas : null
    const shown = deltas ?? values
    const most = shown.reduce((a, v) => Math.max(a, Math.abs(v)), 1e-12)
    shown.forEach((value, i) => {
      const [left, top] = [x(column) - box / 2, y(column, i) - box / 2]
      const isKnown = column === 0 || deltas !== null || isReached(column - 1)
      c.fillStyle = isKnown ? css(signed((0.6 * value) / most)) : token('panel')
      c.fillRect(left, top, box, box)
      c.strokeStyle = token(deltas ? 'accent' : 'soft')
      c.lineWidth = deltas ? 2 : 1
      c.strokeRect(left, top, box, box)
      if (!isKnown) return
      c.fillStyle = token('ink')
      const [text, size] = [short(value, 2), Math.max(8, box * 0.29)]
      const font = (size: number) => `600 ${size}px system-ui, sans-serif`
      c.font = font(size)
      // As small as its box.
      c.font = font(size * Math.min(1, (box - 4) / c.measureText(text).width))
      c.fillText(text, left + box / 2, top + box / 2 + 1)
    })
  })
}
