/** The function from above and as a surface, which one turns. */
import { useRef } from 'preact/hooks'
import { Canvas } from '../ui/canvas'
import { isDark } from '../ui/palette'
import type { Surface } from './functions'
import { paintMap, projection, type Scene } from './map'
import { descent } from './state'

export function MapView({
  scene,
  surface,
  onAspect,
  onStart,
  onPoint,
  onLeave,
}: {
  scene: Parameters<typeof paintMap>[1]
  surface: Surface
  onAspect(aspect: number): void
  onStart(at: [number, number]): void
  onPoint(at: [number, number]): void
  onLeave(): void
}) {
  const isDragging = useRef(false)
  const at = (e: PointerEvent): [number, number] => {
    const canvas = e.currentTarget as HTMLCanvasElement
    const box = canvas.getBoundingClientRect()
    const to = projection(surface, box.width, box.height)
    return [rounded(to.x(e.clientX - box.left)), rounded(to.y(e.clientY - box.top))]
  }
  const nudge = (e: KeyboardEvent) => {
    const steps: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }
    const by = steps[e.key]
    if (!by) return
    e.preventDefault()
    const [[left, right], [bottom, top]] = surface.range
    const step = Math.max(right - left, top - bottom) / 50
    const [x, y] = scene.start
    const next: [number, number] = [rounded(x + by[0] * step), rounded(y + by[1] * step)]
    onStart(next)
    onPoint(next)
  }
  return (
    <Canvas
      class="map"
      tabIndex={0}
      label={`${surface.label} from above, with the ways of the optimizers. Arrow keys move the start.`}
      when={[
        scene.landscape,
        scene.starts,
        scene.trace,
        scene.tracks,
        scene.looks,
        scene.frame,
        scene.start,
        scene.showState,
        scene.verdict,
        scene.over,
        isDark.value,
      ]}
      paint={(painting) => {
        onAspect(Number((painting.width / painting.height).toFixed(2)))
        paintMap(painting, scene)
      }}
      onKeyDown={nudge}
      onPointerDown={(e) => {
        isDragging.current = true
        e.currentTarget.setPointerCapture(e.pointerId)
        onStart(at(e))
        onPoint(at(e))
      }}
      onPointerMove={(e) => {
        if (isDragging.current) onStart(at(e))
        onPoint(at(e))
      }}
      onPointerUp={() => (isDragging.current = false)}
      onPointerLeave={onLeave}
    />
  )
}

const rounded = (v: number) => Number(v.toFixed(3))

export function Turnable({ scene, paintSurface }: { scene: Scene; paintSurface: typeof import('./surface').paintSurface }) {
  const { turn, tilt } = descent.state.value
  const from = useRef<{ x: number; y: number; turn: number; tilt: number } | null>(null)
  const set = (turn: number, tilt: number) => descent.set({ turn: rounded(turn), tilt: rounded(Math.min(Math.max(tilt, 0.15), 1.5)) })
  const key = (e: KeyboardEvent) => {
    const steps: Record<string, [number, number]> = {
      ArrowLeft: [-0.1, 0],
      ArrowRight: [0.1, 0],
      ArrowUp: [0, 0.08],
      ArrowDown: [0, -0.08],
    }
    if (!steps[e.key]) return
    e.preventDefault()
    set(turn + steps[e.key][0], tilt + steps[e.key][1])
  }
  return (
    <Canvas
      class="map"
      tabIndex={0}
      label={`${scene.surface.label} as a surface. Arrow keys turn it.`}
      when={[scene.landscape, scene.tracks, scene.frame, turn, tilt, isDark.value]}
      paint={(painting) => paintSurface(painting, scene, { turn, tilt })}
      onKeyDown={key}
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId)
        from.current = { x: e.clientX, y: e.clientY, turn, tilt }
      }}
      onPointerMove={(e) => {
        const start = from.current
        if (start) set(start.turn + (e.clientX - start.x) / 150, start.tilt + (e.clientY - start.y) / 200)
      }}
      onPointerUp={() => (from.current = null)}
    />
  )
}
