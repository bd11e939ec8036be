/** The page: tabs, the lesson at hand, and the link that holds it all. */
import { effect, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { descent } from './descent/state'
import { DescentTab } from './descent/tab'
import { decodeLink } from './link'
import type { TabState } from './tab-state'
import { CopyButton, Segments } from './ui/controls'
import { chooseTheme, type Theme, theme } from './ui/palette'

const TABS = [{ name: 'descent', title: 'Descent', state: descent as unknown as TabState<object>, View: DescentTab }] as const

type TabName = (typeof TABS)[number]['name']

const current = signal<TabName>('descent')

function open(hash: string): void {
  const { tab, changes } = decodeLink(hash)
  const known = TABS.find(({ name }) => name === tab)
  if (!known) return
  known.state.restore(changes)
  current.value = known.name
}

const tabOf = (name: TabName) => TABS.find((tab) => tab.name === name) ?? TABS[0]

/** Keeps the address at what is shown, so that it can be copied at any time; not in each frame of a drag. */
function followAddress(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let written = location.hash
  const onHash = () => {
    if (location.hash !== written) open(location.hash)
  }
  addEventListener('hashchange', onHash)
  const stop = effect(() => {
    const link = `#${tabOf(current.value).state.link()}`
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (location.hash === link) return
      written = link
      history.replaceState(null, '', link)
    }, 250)
  })
  return () => {
    removeEventListener('hashchange', onHash)
    stop()
  }
}

open(location.hash)

export function App() {
  useEffect(followAddress, [])
  const { View } = tabOf(current.value)
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header>
        <h1>
          <a href="./" aria-label="gradus playground, start">
            <img src="./icon.svg" alt="" width="26" height="26" /> gradus <span>playground</span>
          </a>
        </h1>
        <nav aria-label="Tabs">
          {TABS.map(({ name, title }) => (
            <button key={name} type="button" aria-current={name === current.value ? 'page' : undefined} onClick={() => (current.value = name)}>
              {title}
            </button>
          ))}
        </nav>
        <div class="header-end">
          <CopyButton text={() => location.href.replace(/#.*$/, '') + `#${tabOf(current.value).state.link()}`}>Copy link</CopyButton>
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
      <main id="main">
        <View />
      </main>
    </>
  )
}
