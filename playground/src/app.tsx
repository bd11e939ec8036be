/** The page: tabs, the lecture, and the link that contains the whole state. */
import { effect, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { benchmarkTab } from './benchmark/state'
import { BenchmarkTab } from './benchmark/tab'
import { descent } from './descent/state'
import { DescentTab } from './descent/tab'
import { fleet } from './fleet/state'
import { FleetTab } from './fleet/tab'
import { LESSONS } from './lessons'
import { decodeLink, encodeLink, withChanges } from './link'
import { schedulesTab } from './schedules/state'
import { SchedulesTab } from './schedules/tab'
import type { TabState } from './tab-state'
import { train } from './train/state'
import { TrainTab } from './train/tab'
import { Button, CopyButton, Segments } from './ui/controls'
import { chooseTheme, type Theme, theme } from './ui/palette'

const TABS = [
  { title: 'Descent', state: descent, View: DescentTab },
  { title: 'Train', state: train, View: TrainTab },
  { title: 'Schedules', state: schedulesTab, View: SchedulesTab },
  { title: 'A thousand nets', state: fleet, View: FleetTab },
  { title: 'Benchmark', state: benchmarkTab, View: BenchmarkTab },
].map(({ title, state, View }) => ({ name: state.name, title, state: state as unknown as TabState<object>, View }))

const current = signal(TABS[0].name)
/** The lesson that is open; −1 for none. */
const lesson = signal(-1)
/** Counts opened links, so that a lesson that is opened twice starts twice. */
const opened = signal(0)

/** The link of the lesson's tab as the lesson begins: as long as nothing is changed, the address is the lesson's. */
let lessonLink = ''

const tabOf = (name: string) => TABS.find((tab) => tab.name === name) ?? TABS[0]

function openLesson(index: number): void {
  const { tab, state } = LESSONS[index]
  const tabState = tabOf(tab).state
  lessonLink = startLink(tabState, withChanges(tabState.defaults, state as Record<string, unknown>, tabState.checks))
  lesson.value = index
  tabState.restore(state)
  current.value = tab
  opened.value++
}

/** The link of a state as it begins, however far it has come. */
const startLink = ({ name, defaults, linked }: TabState<object>, state: object) =>
  encodeLink(name, { ...linked(state), at: 0, isPlaying: true }, { ...defaults, at: 0, isPlaying: true })

function address(): string {
  const { state } = tabOf(current.value)
  if (lesson.value >= 0 && startLink(state, state.state.value) === lessonLink) return `lesson-${lesson.value + 1}`
  return state.link()
}

function open(hash: string): void {
  const { tab, changes } = decodeLink(hash)
  const number = Number(/^#?lesson-(\d+)$/.exec(hash)?.[1])
  if (LESSONS[number - 1]) return openLesson(number - 1)
  if (!TABS.some(({ name }) => name === tab)) return
  tabOf(tab).state.restore(changes)
  current.value = tab
  lesson.value = -1
  opened.value++
}

/** Keeps the address equal to the state of the page, so that it can be copied at any time; but not in each frame, which browsers do not allow. */
function followAddress(): () => void {
  let isDue = false
  let written = location.hash
  const onHash = () => {
    if (location.hash !== written) open(location.hash)
    written = location.hash
  }
  addEventListener('hashchange', onHash)
  const stop = effect(() => {
    address()
    if (isDue) return
    isDue = true
    setTimeout(() => {
      isDue = false
      const link = `#${address()}`
      if (location.hash === link) return
      written = link
      history.replaceState(null, '', link)
    }, 500)
  })
  return () => {
    removeEventListener('hashchange', onHash)
    stop()
  }
}

open(location.hash)

/** True if the page is embedded in another page: it then shows only the picture, with a link to the whole playground. */
const isEmbedded = new URLSearchParams(location.search).has('embed')
if (isEmbedded) document.documentElement.classList.add('embedded')

export function App() {
  useEffect(followAddress, [])
  const { View } = tabOf(current.value)
  if (isEmbedded)
    return (
      <main id="main">
        <View key={opened.value} />
        <a class="open" href={`./#${address()}`} target="_blank" rel="noreferrer">
          Open in the playground
        </a>
      </main>
    )
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <h1>
          <a href="./" aria-label="gradus playground">
            <img src="./icon.svg" alt="" width="26" height="26" /> gradus <span>playground</span>
          </a>
        </h1>
        <nav aria-label="Tabs">
          {TABS.map(({ name, title }) => (
            <button
              key={name}
              type="button"
              aria-current={name === current.value ? 'page' : undefined}
              onClick={() => {
                if (lesson.value >= 0 && LESSONS[lesson.value].tab !== name) lesson.value = -1
                current.value = name
              }}
            >
              {title}
            </button>
          ))}
        </nav>
        <div class="header-end">
          <CopyButton text={() => `${location.href.replace(/#.*$/, '')}#${tabOf(current.value).state.link()}`}>Copy link</CopyButton>
          <Segments<Theme>
            label="Colours"
            value={theme.value}
            options={[
              ['auto', 'Auto'],
              ['light', 'Light'],
              ['dark', 'Dark'],
            ]}
            onChange={chooseTheme}
          />
        </div>
      </header>
      <Lecture />
      <main id="main">
        <View key={opened.value} />
      </main>
    </>
  )
}

function Lecture() {
  const index = lesson.value
  const step = (by: number) => openLesson(Math.min(Math.max(index + by, 0), LESSONS.length - 1))
  return (
    <section class="lecture" aria-label="Lecture">
      <select
        aria-label="Lesson"
        value={String(index)}
        onChange={(e) => (Number(e.currentTarget.value) < 0 ? (lesson.value = -1) : openLesson(Number(e.currentTarget.value)))}
      >
        <option value="-1">A lecture that you can play: choose a lesson…</option>
        {LESSONS.map(({ title }, i) => (
          <option key={title} value={String(i)} selected={i === index}>
            {`${i + 1}. ${title}`}
          </option>
        ))}
      </select>
      <div class="lecture-buttons">
        {index >= 0 && (
          <Button label="Previous lesson" disabled={index === 0} onClick={() => step(-1)}>
            ‹ Previous
          </Button>
        )}
        <Button
          kind={index < 0 ? 'primary' : ''}
          label={index < 0 ? 'Begin the lecture' : 'Next lesson'}
          disabled={index === LESSONS.length - 1}
          onClick={() => step(1)}
        >
          {index < 0 ? 'Begin ›' : 'Next ›'}
        </Button>
      </div>
      {index >= 0 && <p aria-live="polite">{LESSONS[index].why}</p>}
    </section>
  )
}
