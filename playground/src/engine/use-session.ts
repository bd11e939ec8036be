/** A training in the worker that follows the state of a tab: it begins anew with another config, and plays, pauses and stops with the tab. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { PicturesFrame, PicturesMessage, PicturesUpdate } from '../pictures/session'
import type { SeriesFrame, SeriesUpdate } from '../series/session'
import type { TabState } from '../tab-state'
import type { Frame, SessionMessage, SessionUpdate } from '../train/session'
import { wantsLessMotion } from '../ui/playback'
import type { Engine, Input, Running } from './client'
import type { Pace, PaceMessage } from './paced'

/** Tasks that send frames, one after the other, and the messages that they take. */
interface Watched {
  pictures: { frame: PicturesFrame; message: PicturesMessage; update: PicturesUpdate }
  series: { frame: SeriesFrame; message: PaceMessage; update: SeriesUpdate }
  session: { frame: Frame; message: SessionMessage; update: SessionUpdate }
}

interface Options<N extends keyof Watched> {
  worker: () => Engine
  task: N
  tab: TabState<Pace & Record<never, never>>
  /** All of the input but the pace, as it is now. */
  input(): Omit<Input<N>, keyof Pace>
  /** With another key the training begins anew. */
  key: string
  /** The step at which it is shown to people who want less motion. */
  still: number
  onUpdate?(update: Watched[N]['update']): void
}

export function useSession<N extends keyof Watched>({ worker, task, tab, input, key, still, onUpdate }: Options<N>) {
  const frame = useSignal<Watched[N]['frame'] | null>(null)
  const problem = useSignal('')
  const session = useRef<Running<N> | null>(null)
  const tell = (message: Watched[N]['message']) => session.current?.send(message)
  const begin = (at: number) => {
    session.current?.stop()
    const { isPlaying, speed } = tab.state.value
    const running = worker().run(task, { ...input(), at, isPlaying, speed } as unknown as Input<N>, (sent) => {
      const update = sent as Watched[N]['update']
      if (session.current !== running) return
      problem.value = ''
      onUpdate?.(update)
      if (update.type !== 'frame') return
      frame.value = update.frame
      if (update.frame.step !== tab.state.value.at) tab.set({ at: update.frame.step })
      // The next frame comes once this one is on the screen.
      requestAnimationFrame(() => running.send({ type: 'seen' } satisfies PaceMessage))
    })
    session.current = running
    running.result.catch((error: Error) => {
      if (session.current === running) problem.value = error.message
    })
  }
  const isFirst = useRef(true)
  useEffect(() => {
    const { at, isPlaying } = tab.state.value
    // Without motion: where it has come to, and further steps by the button.
    if (isFirst.current && wantsLessMotion() && isPlaying) tab.set({ isPlaying: false, at: Math.max(at, still) })
    begin(isFirst.current ? tab.state.value.at : 0)
    isFirst.current = false
  }, [key])
  useEffect(() => () => session.current?.stop(), [])
  const { at, isPlaying, speed } = tab.state.value
  useEffect(() => tell({ type: 'play', isPlaying } as Watched[N]['message']), [isPlaying])
  useEffect(() => tell({ type: 'speed', speed } as Watched[N]['message']), [speed])
  const bar = {
    ...{ state: { at, isPlaying, speed }, stepsPerSecond: frame.value?.stepsPerSecond ?? 0, onChange: tab.set },
    ...{ onStep: () => tell({ type: 'steps', count: 1 } as Watched[N]['message']), onRestart: () => begin(0) },
  }
  return { frame, problem: problem.value, tell, begin, bar }
}
