/** Plays a computed sequence: a playhead that runs, stops, and can be moved. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { Button } from './controls'

interface Options {
  /** The last step. */
  length: number
  /** Steps a second. */
  speed: number
  isPlaying: boolean
  onPlaying(isPlaying: boolean): void
}

export const wantsLessMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches

export function usePlayback({ length, speed, isPlaying, onPlaying }: Options) {
  const latest = useRef({ length, speed })
  latest.current = { length, speed }
  /** Without motion a race that plays is at its end at once. */
  const first = () => (isPlaying && wantsLessMotion() ? latest.current.length : 0)
  const frame = useSignal(0)
  useEffect(() => {
    if (!isPlaying) return
    let before: number | undefined
    let request = requestAnimationFrame(function tick(now) {
      const { length, speed } = latest.current
      // A page that was hidden continues from where it stopped.
      const seconds = before === undefined ? 0 : Math.min((now - before) / 1000, 0.1)
      before = now
      if (wantsLessMotion()) frame.value = length
      else if (frame.value < length) frame.value = Math.min(frame.value + seconds * speed, length)
      request = requestAnimationFrame(tick)
    })
    return () => cancelAnimationFrame(request)
  }, [isPlaying])
  const shown = Math.min(frame.value, length)
  const seek = (step: number) => {
    frame.value = step
    onPlaying(false)
  }
  const isAtEnd = shown >= length
  const bar = (
    <div class="playback">
      <Button
        kind="primary"
        label={isPlaying && !isAtEnd ? 'Pause' : isAtEnd ? 'Play again' : 'Play'}
        onClick={() => {
          if (isAtEnd) {
            frame.value = 0
            onPlaying(true)
          } else onPlaying(!isPlaying)
        }}
      >
        {isPlaying && !isAtEnd ? '❚❚' : isAtEnd ? '↺' : '▶'}
      </Button>
      <Button label="One step back" onClick={() => seek(Math.max(Math.ceil(shown) - 1, 0))}>
        ‹
      </Button>
      <Button label="One step on" onClick={() => seek(Math.min(Math.floor(shown) + 1, length))}>
        ›
      </Button>
      <input
        type="range"
        min="0"
        max={length}
        step="1"
        value={Math.round(shown)}
        aria-label="Step shown"
        aria-valuetext={`step ${Math.round(shown)} of ${length}`}
        onInput={(e) => seek(Number(e.currentTarget.value))}
      />
      <output>
        {Math.round(shown)} / {length}
      </output>
    </div>
  )
  return {
    frame: shown,
    bar,
    seek,
    rewind: () => {
      frame.value = first()
    },
  }
}
