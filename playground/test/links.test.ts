/** Fault 46: links, formulas and tables that strangers make. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostileText, NASTY, runs } from '../../test/tools/hostile-text'
import { benchmarkTab } from '../src/benchmark/state'
import { descentCode } from '../src/descent/code'
import { compile, program } from '../src/descent/formula'
import { descent } from '../src/descent/state'
import { fleetCode } from '../src/fleet/code'
import { fleet } from '../src/fleet/state'
import { LESSONS } from '../src/lessons'
import { decodeLink, encodeLink, withChanges } from '../src/link'
import { METHODS } from '../src/methods'
import { picturesTab } from '../src/pictures/state'
import { literal } from '../src/program'
import { configOf as schedulesConfig, schedulesTab } from '../src/schedules/state'
import { seriesTab } from '../src/series/state'
import type { TabState } from '../src/tab-state'
import { trainCode } from '../src/train/code'
import { configOf, train } from '../src/train/state'
import { columns, tableExamples } from '../src/train/table'

const TABS = [descent, train, schedulesTab, fleet, picturesTab, seriesTab, benchmarkTab] as unknown as TabState<object>[]
const tabOf = (name: string) => TABS.find((tab) => tab.name === name) as TabState<object>
const opened = (tab: TabState<object>, link: string) => {
  tab.restore(decodeLink(link).changes)
  return tab.state.value
}

/** Programs that the page shows or copies for the state that a link contains. */
function programs(tab: string): string[] {
  if (tab === 'train') return [trainCode(configOf(train.state.value), 210, 1000)]
  if (tab === 'schedules') return [trainCode(schedulesConfig(schedulesTab.state.value), 210, 1000)]
  if (tab === 'fleet') return [fleetCode(fleet.state.value)]
  return tab === 'descent' ? [descentCode(descent.state.value, { text: 'x', names: [] })] : []
}

/** Words outside of texts, numbers and comments. */
const words = (program: string) =>
  new Set(
    program
      .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""')
      .replace(/\/\/.*/g, '')
      .match(/[A-Za-z_$][\w$]*/g),
  )

/** A link that has an expression in the place of any value, at any depth. */
const EVIL = ['=evil()', '1); evil(); (', '$' + '{evil()}', '*/ evil() /*', "'+evil()+'", '\n evil()', '"]; evil(); ["']
const place = fc.oneof(fc.constantFrom<unknown>(...EVIL, ...NASTY, null, -1, 1e300, 0.5, [], {}, [[]], true), hostileText, fc.jsonValue())

/** Plain data with one of its parts, or names, replaced. */
function spoiled(value: unknown, path: number[], evil: unknown): unknown {
  if (typeof value !== 'object' || value === null || path.length === 0) return evil
  const keys = Object.keys(value)
  if (keys.length === 0) return Array.isArray(value) ? [evil] : { [String(evil)]: evil }
  const at = keys[path[0] % keys.length]
  const entries = Object.entries(value).map(([key, part]) => [key, key === at ? spoiled(part, path.slice(1), evil) : part])
  return Array.isArray(value) ? entries.map(([, part]) => part) : Object.fromEntries(entries)
}

describe('fault 46: a link', () => {
  const starts = [
    ...TABS.map((tab) => [tab.name, tab.defaults] as const),
    ...LESSONS.map(({ tab, state }) => [tab, { ...tabOf(tab).defaults, ...state }] as const),
  ]

  test('of every lesson and of every state of the page is what it was', () => {
    for (const [name, state] of starts) {
      const tab = tabOf(name)
      expect(opened(tab, encodeLink(name, state, tab.defaults))).toEqual(state)
      expect(withChanges(tab.defaults, state as Record<string, unknown>, tab.checks)).toEqual(state)
    }
    const racers = METHODS.map(({ id }) => ({ method: id, rate: 0.1, options: { beta: 0.5, nesterov: true } }))
    expect(opened(tabOf('descent'), encodeLink('descent', { racers }, {}))).toMatchObject({ racers })
    const csv = 'a,b,c\n'.repeat(100_000)
    expect(opened(tabOf('train'), encodeLink('train', { csv }, {}))).toMatchObject({ csv })
  })

  test('has no file of the visitor, however large; an older one that has it still opens', () => {
    const csv = 'a,b,c\n'.repeat(600_000)
    train.restore({ data: 'csv', target: 'c' })
    const link = train.link()
    train.set({ csv })
    expect(train.link()).toBe(link)
    expect(opened(tabOf('train'), link)).toMatchObject({ csv: '', data: 'csv', target: 'c' })
  })

  test('with anything in the place of anything is a state of the page, and no text of it is code in a program to copy', () => {
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }), place, ([name, state], path, evil) => {
        const tab = tabOf(name)
        const link = encodeLink(name, spoiled(state, path, evil) as object, {})
        const now = opened(tab, link) as Record<string, unknown>
        expect(Object.keys(now)).toEqual(Object.keys(tab.defaults))
        for (const [part, value] of Object.entries(now))
          expect(tab.checks[part as never](value) || value === tab.defaults[part as never], part).toBe(true)
        for (const program of programs(name)) {
          // the program is parsed here, but not run
          new vm.Script(`(async () => {${program.replace(/^import .*$/gm, '')}})`)
          expect(words(program)).not.toContain('evil')
        }
      }),
      runs(7500),
    )
  }, 120_000)

  test('of any text opens nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          hostileText,
          hostileText.map((text) => `train/${text}`),
        ),
        (hash) => {
          const { changes } = decodeLink(hash)
          expect(Object.getPrototypeOf(changes)).toBe(Object.prototype)
          expect(() => tabOf('train').restore(changes)).not.toThrow()
        },
      ),
      runs(5000),
    )
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})

test('fault 46: literals hold texts as texts', () => {
  fc.assert(
    fc.property(fc.dictionary(hostileText, hostileText), (record) => {
      const entries = vm.runInNewContext(`JSON.stringify(Object.entries(${literal(record)}))`)
      expect(JSON.parse(entries).sort()).toEqual(JSON.parse(JSON.stringify(Object.entries(record))).sort())
    }),
    runs(2500),
  )
})

test('fault 46: formulas are read, never evaluated, and no text is more than one', () => {
  const part = fc.constantFrom(
    'x',
    'y',
    'k',
    '(',
    ')',
    '+',
    '-',
    '*',
    '/',
    '^',
    ',',
    ' ',
    '1',
    '.5',
    'sin',
    'pow(',
    'constructor',
    '__proto__',
    'this',
    '`',
    '[',
    '=',
    ';',
    '=>',
    '\\',
    '"',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        hostileText,
        fc.array(part, { maxLength: 30 }).map((parts) => parts.join('')),
      ),
      (formula) => {
        const ground = { formula, condition: 20 }
        let text: string
        try {
          text = program(ground).text
          compile(ground)
        } catch (error) {
          expect((error as Error).message).toMatch(/formula|unknown: |wants (one|two) number/i)
          return
        }
        const names = /\b(add|sub|mul|div|neg|pow|sin|cos|tanh|exp|log|sqrt|abs|sign|minimum|maximum)\(/g
        expect(text.replace(names, '(').replace(/-?\d+(\.\d+)?(e[+-]?\d+)?|-?Infinity|NaN/g, '')).toMatch(/^[xy (),]*$/)
      },
    ),
    runs(15_000),
  )
  for (const formula of ['('.repeat(100_000), '-'.repeat(100_000), 'x^'.repeat(50_000), 'x'.repeat(100_000)])
    expect(() => program({ formula, condition: 1 })).toThrow(/wants at most 1000 characters/)
  for (const formula of ['('.repeat(1000), '-'.repeat(1000), 'x^'.repeat(500)])
    expect(() => program({ formula, condition: 1 })).toThrow(/formula/)
})

test('fault 46: tables, whatever their columns and classes are called', () => {
  fc.assert(
    fc.property(fc.array(hostileText, { minLength: 3, maxLength: 6 }), hostileText, (names, target) => {
      const csv = [names, ...Array.from({ length: 8 }, (_, i) => names.map((name, k) => (k < 2 ? i * (k + 1) : `${name}${i % 2}`)))]
        .map((row) => row.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join())
        .join('\n')
      expect(columns({ csv }).every((name) => typeof name === 'string')).toBe(true)
      try {
        tableExamples({ kind: 'csv', csv, target, seed: 1, count: 1, noise: 0, points: [] })
      } catch (error) {
        expect((error as Error).message).toMatch(/table wants|values: a class/)
      }
    }),
    runs(1500),
  )
  expect(Object.keys(Object.prototype)).toEqual([])
})

test('fault 46: nothing of the page makes elements or code of text', () => {
  const src = fileURLToPath(new URL('../src', import.meta.url))
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file))
  expect(files.length).toBeGreaterThan(40)
  for (const file of files) {
    const source = readFileSync(`${src}/${file}`, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    expect(source, file).not.toMatch(
      /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|new Function|\beval\(|DOMParser/,
    )
    // d3-dsv makes a function of the header in parse(), and none in parseRows()
    expect(source, file).not.toMatch(/dsvFormat[^\n]*\n?[^\n]*\.parse\(|csvParse\b/)
  }
})
