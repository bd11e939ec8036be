/** The lecture: text that scrolls beside the picture, section by section. Most ask first, then play and say why. */
import { signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { LESSONS, type Lesson, pieces } from './lessons'
import type { TabState } from './tab-state'
import { Button } from './ui/controls'
import { wantsLessMotion } from './ui/playback'
import './lecture.css'

export { LESSONS } from './lessons'

/** The chosen answer of each lesson that has asked: the answer's index, or −1 if somebody wanted to see it at once. */
const answers = signal<Readonly<Record<number, number>>>({})

/** True while a lesson waits for an answer. */
export const isAsking = (index: number): boolean => LESSONS[index]?.ask !== undefined && !(index in answers.value)

/** Chapters with their lessons: a chapter begins with a lesson that names it. */
const CHAPTERS = LESSONS.reduce<{ title: string; lessons: number[] }[]>((chapters, { chapter }, i) => {
  if (chapter) chapters.push({ title: chapter, lessons: [] })
  chapters[chapters.length - 1].lessons.push(i)
  return chapters
}, [])

interface Props {
  index: number
  /** True if something was changed since the lesson began. */
  isChanged: boolean
  /** The state of the lesson's tab. */
  tab: TabState<object>
  /** Opens a lesson, with changes of its state; as a visit it is one to which Back leads. */
  onOpen(index: number, isVisit: boolean, changes?: object): void
}

export function Lecture({ index, isChanged, tab, onOpen }: Props) {
  const box = useRef<HTMLElement>(null)
  const latest = useRef({ index, onOpen })
  latest.current = { index, onOpen }
  /** The section to which the page scrolls by itself: on the way there no other one opens. */
  const target = useRef(-1)
  const sectionOf = (i: number) => box.current?.querySelectorAll('section')[i]

  // Before anything else can look where the page stands.
  useLayoutEffect(() => {
    // its picture, which may have been scrolled
    box.current?.parentElement?.querySelector('.show')?.scrollTo({ top: 0, behavior: 'instant' })
    // A lesson that somebody scrolled to is in its place already.
    if (target.current === index) return
    target.current = index
    // The first one is where the page begins.
    if (index === 0) scrollTo({ top: 0, behavior: 'instant' })
    else sectionOf(index)?.scrollIntoView({ block: 'start', behavior: 'instant' })
  }, [index])

  useEffect(() => {
    let timer = 0
    /** Opens the last section that begins above the reading line, once the page stands still. */
    const settle = () => {
      const sections = [...(box.current?.querySelectorAll('section') ?? [])]
      const line = (box.current?.firstElementChild?.getBoundingClientRect().bottom ?? 0) + innerHeight * (isNarrow() ? 0.12 : 0.3)
      const here = Math.max(
        0,
        sections.findLastIndex((section) => section.getBoundingClientRect().top <= line),
      )
      if (here === latest.current.index) return
      target.current = here
      latest.current.onOpen(here, false)
    }
    const onScroll = () => {
      clearTimeout(timer)
      timer = setTimeout(settle, 120) as unknown as number
    }
    addEventListener('scroll', onScroll, { passive: true })
    return () => {
      clearTimeout(timer)
      removeEventListener('scroll', onScroll)
    }
  }, [])

  const go = (i: number) => onOpen(i, true)
  return (
    <article class="lecture" aria-label="Lecture" ref={box}>
      <div class="lecture-bar">
        <select aria-label="Lesson" value={String(index)} onChange={(e) => go(Number(e.currentTarget.value))}>
          {CHAPTERS.map(({ title, lessons }) => (
            <optgroup key={title} label={title}>
              {lessons.map((i) => (
                <option key={i} value={String(i)} selected={i === index}>
                  {`${i + 1}. ${LESSONS[i].title}`}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
        <Button label="Previous lesson" disabled={index === 0} onClick={() => go(index - 1)}>
          ‹
        </Button>
        <Button label="Next lesson" kind="primary" disabled={index === LESSONS.length - 1} onClick={() => go(index + 1)}>
          ›
        </Button>
        <progress aria-label="Progress" max={LESSONS.length} value={index + 1} />
      </div>
      {LESSONS.map((lesson, i) => (
        <Section
          key={lesson.title}
          lesson={lesson}
          index={i}
          isOpen={i === index}
          isChanged={isChanged}
          tab={tab}
          onOpen={(changes) => onOpen(i, true, changes)}
        />
      ))}
    </article>
  )
}

const isNarrow = () => matchMedia('(max-width: 900px)').matches

function Section({
  lesson: { title, chapter, why, ask, turns = {}, loop },
  index,
  isOpen,
  isChanged,
  tab,
  onOpen,
}: {
  lesson: Lesson
  index: number
  isOpen: boolean
  isChanged: boolean
  tab: TabState<object>
  onOpen(changes?: object): void
}) {
  const chosen = answers.value[index]
  const isWaiting = isAsking(index)
  const answer = (i: number) => {
    answers.value = { ...answers.value, [index]: i }
    if (!isOpen) onOpen()
    else if ('isPlaying' in tab.defaults) tab.set({ isPlaying: true })
  }
  // Keys go through the open lesson alone: to move through the others would scroll, and so open each of them.
  const tabIndex = isOpen ? undefined : -1
  return (
    <section id={`section-${index + 1}`} aria-current={isOpen ? 'step' : undefined}>
      {chapter && <p class="chapter">{chapter}</p>}
      <h2>
        {index + 1}. {title}
      </h2>
      {ask && (
        <div class="ask">
          <p>{ask.question}</p>
          <div class="answers">
            {ask.answers.map((text, i) => (
              <button
                key={text}
                type="button"
                tabIndex={tabIndex}
                disabled={!isWaiting}
                class={isWaiting ? '' : i === ask.right ? 'right' : i === chosen ? 'wrong' : ''}
                onClick={() => answer(i)}
              >
                {text}
                {!isWaiting && i === ask.right && '\u00a0✓'}
              </button>
            ))}
          </div>
          {isWaiting && (
            <button type="button" class="link" tabIndex={tabIndex} onClick={() => answer(-1)}>
              Just show me
            </button>
          )}
          {!isWaiting && chosen >= 0 && <p class="says">{chosen === ask.right ? 'Right.' : `It is: ${ask.answers[ask.right]}.`}</p>}
        </div>
      )}
      {!isWaiting && (
        <p class="why" aria-live={isOpen ? 'polite' : 'off'}>
          {pieces(why, Object.keys(turns)).map((text, i, all) =>
            Object.hasOwn(turns, text) ? (
              // A line may break beside a button, but the sign after it stays with it.
              <span key={text} class="kept">
                <button
                  type="button"
                  class="link"
                  tabIndex={tabIndex}
                  onClick={() => {
                    // The tab is that of the open lesson.
                    if (!isOpen) onOpen(turns[text as keyof typeof turns])
                    else
                      tab.set({
                        ...turns[text as keyof typeof turns],
                        ...('isPlaying' in tab.defaults && !wantsLessMotion() ? { isPlaying: true } : {}),
                      })
                  }}
                >
                  {text}
                </button>
                {/^[,.:;]/.exec(all[i + 1] ?? '')}
              </span>
            ) : (
              text.replace(i > 0 ? /^[,.:;]/ : '', '')
            ),
          )}
        </p>
      )}
      {loop && !isWaiting && (
        <pre>
          <code>{loop}</code>
        </pre>
      )}
      {isOpen && isChanged && (
        <button type="button" class="link" onClick={() => onOpen()}>
          Put this lesson back as it was
        </button>
      )}
    </section>
  )
}
