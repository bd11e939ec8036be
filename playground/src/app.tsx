/** The page: tabs, the lecture beside one of them, and the link that contains the whole state. */
import { computed, effect, signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { benchmarkTab } from './benchmark/state'
import { descent } from './descent/state'
import { DescentTab } from './descent/tab'
import { fleet } from './fleet/state'
import { decodeLink, encodeLink, withChanges } from './link'
import { picturesTab } from './pictures/state'
import { schedulesTab } from './schedules/state'
import { seriesTab } from './series/state'
import type { TabState } from './tab-state'
import { train } from './train/state'
import { Button, CopyButton, SettingsButton } from './ui/controls'
import { chooseTheme, THEMES, theme } from './ui/palette'

/** The tabs; all but the first view are fetched when they are first opened. */
const TABS = [
  { title: 'Descent', state: descent, load: async () => DescentTab },
  { title: 'Train', state: train, load: async () => (await import('./train/tab')).TrainTab },
  { title: 'Schedules', state: schedulesTab, load: async () => (await import('./schedules/tab')).SchedulesTab },
  { title: 'A thousand nets', state: fleet, load: async () => (await import('./fleet/tab')).FleetTab },
  { title: 'Pictures', state: picturesTab, load: async () => (await import('./pictures/tab')).PicturesTab },
  { title: 'Sequences', state: seriesTab, load: async () => (await import('./series/tab')).SeriesTab },
  { title: 'Benchmark', state: benchmarkTab, load: async () => (await import('./benchmark/tab')).BenchmarkTab },
].map(({ title, state, load }) => ({ name: state.name, title, state: state as unknown as TabState<object>, load }))

/** Views that are here, by the names of their tabs. */
const views = signal<Readonly<Record<string, () => JSX.Element>>>({ [descent.name]: DescentTab })

/** How the page is embedded in another one, where it shows only the picture with a link to the whole playground: `bare` without a toolbar. */
const embed = new URLSearchParams(location.search).get('embed')
const isEmbedded = embed !== null
if (isEmbedded) document.documentElement.classList.add('embedded', ...(embed === 'bare' ? ['bare'] : []))

const current = signal(TABS[0].name)
/** The lecture's code and text, once somebody asks for a lesson. */
const lecture = signal<typeof import('./lecture') | null>(null)
/** The lesson that is open; −1 for none. */
const lesson = signal(-1)
/** Counts opened links, so that a lesson that is opened twice starts twice. */
const opened = signal(0)

const tabOf = (name: string) => TABS.find((tab) => tab.name === name) ?? TABS[0]

/** The state with which the open lesson began: as long as nothing is changed, the address is the lesson's. */
const lessonStart = signal<object>({})

/**
 * Opens a lesson, fetching the lecture first if it is not here.
 * @param changes what a link changes of the lesson's state
 */
async function openLesson(index: number, changes: Record<string, unknown> = {}): Promise<void> {
  lecture.value ??= await import('./lecture')
  const { LESSONS, isAsking } = lecture.value
  const last = Math.min(index, LESSONS.length - 1)
  const { tab, state } = LESSONS[last]
  const tabState = tabOf(tab).state
  lessonStart.value = withChanges(tabState.defaults, state as Record<string, unknown>, tabState.checks)
  tabState.restore({ ...state, ...changes })
  // A lesson that asks plays when it has its answer.
  if (!isEmbedded && isAsking(last) && 'isPlaying' in tabState.defaults) tabState.set({ isPlaying: false })
  lesson.value = last
  current.value = tab
  opened.value++
}

/** A state without how far it has come. */
const asBegun = (state: object) => ({ ...state, ...('isPlaying' in state && { isPlaying: true }), ...('at' in state && { at: 0 }) })

function lessonLink(): string {
  const { state } = tabOf(current.value)
  return encodeLink(`lesson-${lesson.value + 1}`, asBegun(state.linked(state.state.value)), asBegun(lessonStart.value))
}

/** True if something was changed since the open lesson began. The page follows this alone: the state of a net that trains changes in each frame. */
const isChanged = computed(() => lesson.value >= 0 && lessonLink() !== `lesson-${lesson.value + 1}`)

const address = () => (lesson.value >= 0 ? lessonLink() : tabOf(current.value).state.link())

function open(hash: string): void {
  const { tab, changes } = decodeLink(hash)
  const number = Number(/^lesson-(\d{1,3})$/.exec(tab)?.[1])
  if (number >= 1) {
    openLesson(number - 1, changes)
    return
  }
  if (!TABS.some(({ name }) => name === tab)) return
  tabOf(tab).state.restore(changes)
  current.value = tab
  lesson.value = -1
  opened.value++
}

/** Writes the address of what was just opened as a new entry, so that Back leads to what was there before. */
function visit(): void {
  written = `#${address()}`
  if (location.hash !== written) history.pushState(null, '', written)
}

/** The hash that the page itself wrote last. */
let written = location.hash

/** Keeps the address equal to the state of the page, so that it can be copied at any time; but not in each frame, which browsers do not allow. */
function followAddress(): () => void {
  let isDue = false
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
      // Back has changed the address, and the page is told of it next: its state is still the old one, which must not be written there.
      if (location.hash !== written || location.hash === link) return
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

/** The site around the playground; from a copy that stands alone, the published one. */
const SITE = /\/playground\/(index\.html)?$/.test(location.pathname) ? '../' : 'https://gradus-js.github.io/gradus/'
const WAYS = [
  ['Guides', `${SITE}docs/`],
  ['Reference', `${SITE}docs/modules/gradus.html`],
  ['Source', 'https://github.com/gradus-js/gradus'],
] as const

const Ways = () => (
  <nav class="ways" aria-label="More of gradus">
    {WAYS.map(([text, href]) => (
      <a key={text} href={href}>
        {text}
      </a>
    ))}
  </nav>
)

export function App() {
  useEffect(followAddress, [])
  const { name, load } = tabOf(current.value)
  const View = views.value[name]
  useEffect(() => {
    if (!View)
      load().then((loaded) => {
        views.value = { ...views.value, [name]: loaded }
      })
  }, [name])
  const view = View && <View key={opened.value} />
  if (isEmbedded)
    return (
      <main id="main">
        {view}
        <a class="open" href={`./#${address()}`} target="_blank" rel="noreferrer">
          Open in the playground
        </a>
      </main>
    )
  const isLecturing = lesson.value >= 0 && lecture.value !== null
  const isAsking = isLecturing && lecture.value!.isAsking(lesson.value)
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <h1>
          <a href={SITE} aria-label="gradus">
            <img src="./icon.svg" alt="" width="26" height="26" /> gradus
          </a>
        </h1>
        <nav class="tabs" aria-label="Tabs">
          <button
            type="button"
            aria-current={isLecturing ? 'page' : undefined}
            onClick={() => openLesson(Math.max(lesson.value, 0)).then(visit)}
          >
            Lecture
          </button>
          {TABS.map(({ name, title }) => (
            <button
              key={name}
              type="button"
              aria-current={!isLecturing && name === current.value ? 'page' : undefined}
              onClick={() => {
                lesson.value = -1
                current.value = name
                visit()
              }}
            >
              {title}
            </button>
          ))}
        </nav>
        <Ways />
        <div class="header-end">
          <CopyButton text={() => `${location.href.replace(/#.*$/, '')}#${address()}`}>Copy link</CopyButton>
          <Button label={`Colors: ${theme.value}`} onClick={() => chooseTheme(THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length])}>
            {{ auto: '◐', light: '☀', dark: '☾' }[theme.value]}
          </Button>
          {current.value !== benchmarkTab.name && <SettingsButton />}
        </div>
      </header>
      <main id="main" class={isLecturing ? `lecturing ${isAsking ? 'asking' : ''}` : ''}>
        <div class="show">{view}</div>
        {isLecturing && lecture.value && (
          <lecture.value.Lecture
            index={lesson.value}
            isChanged={isChanged.value}
            tab={tabOf(current.value).state}
            onOpen={(index, isVisit, changes) => openLesson(index, { ...changes }).then(isVisit ? visit : undefined)}
          />
        )}
      </main>
      <footer>
        <Ways />
      </footer>
    </>
  )
}
