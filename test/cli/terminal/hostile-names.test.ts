/** Fault 45: control characters in names from a file are shown, and not obeyed by the terminal. */
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { LiveArea } from '../../../ts/cli/terminal/live-area.js'
import { paint, print, printError, printLines, printNote, printText } from '../../../ts/cli/terminal/terminal.js'
import { allVisible, visible } from '../../../ts/common/visible.js'
import { describeTable, fromTable } from '../../../ts/data/index.js'
import { reportText, trainTable } from '../../../ts/table/index.js'
import { hostileNames, hostileText, OBEYED, runs } from '../../tools/hostile-text.js'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

/** The output of work to the terminal. */
function written(work: () => void): string {
  let text = ''
  const write = (part: unknown) => {
    text += String(part)
    return true
  }
  const spies = [vi.spyOn(process.stdout, 'write').mockImplementation(write), vi.spyOn(process.stderr, 'write').mockImplementation(write)]
  work()
  for (const spy of spies) spy.mockRestore()
  return text
}

test('fault 45: visible text is a line of text, the same again, and ordinary letters stay', () => {
  expect(visible('a\u001b[2J\n\u202eü😀')).toBe('a\\u001b[2J\\n\\u202eü😀')
  expect(visible('\ud83d')).toBe('\\ud83d')
  fc.assert(
    fc.property(hostileText, (text) => {
      expect(visible(text)).not.toMatch(OBEYED)
      expect(visible(text)).not.toContain('\n')
      expect(visible(visible(text))).toBe(visible(text))
    }),
    runs(10_000),
  )
  expect(allVisible({ '\u001b': ['\u0007', { a: '\n' }, 1, null] })).toEqual({ '\\u001b': ['\\u0007', { a: '\\n' }, 1, null] })
})

test.each(['0', '1'])('fault 45: every line that the command writes, colours %s', (colours) => {
  vi.stubEnv('FORCE_COLOR', colours)
  vi.stubEnv('NO_COLOR', '')
  const withoutStyles = (text: string) => (colours === '1' ? text.replace(/\u001b\[\d+m/g, '') : text)
  fc.assert(
    fc.property(hostileText, (name) => {
      for (const work of [
        () => print(`one ${paint('bold', name)} two`),
        () => print(name),
        () => printText(name),
        () => printNote(name),
        () => printError(name),
      ]) {
        const text = withoutStyles(written(work))
        expect(text).not.toMatch(OBEYED)
        expect(text.split('\n')).toHaveLength(2)
      }
      expect(withoutStyles(written(() => printLines(name)))).not.toMatch(OBEYED)
      const live = written(() => new LiveArea().draw([name])).replace(/^(?:\r\u001b\[J)?\u001b\[\?25l/, '')
      expect(withoutStyles(live)).not.toMatch(OBEYED)
    }),
    runs(1500),
  )
})

test('fault 45: reports, line for line', async () => {
  vi.stubEnv('FORCE_COLOR', '0')
  await fc.assert(
    fc.asyncProperty(hostileNames(5), async ([a, target, ...classes]) => {
      fc.pre(a !== '__proto__' && target !== '__proto__')
      const rows = Array.from({ length: 40 }, (_, i) => ({ [a]: i, [target]: classes[i % 3] }))
      const { report } = await trainTable(rows, { target, hidden: [2], epochs: 1, seed: 1, missingValues: [] })
      for (const line of reportText(report).split('\n')) expect(line).not.toMatch(OBEYED)
      // a line end in a name does not start a new line
      const inLine = JSON.parse(JSON.stringify(report), (_, value) => (typeof value === 'string' ? value.replaceAll('\n', ' ') : value))
      const [lines, wanted] = [report, inLine].map((one) => reportText(one, { width: 1e6 }).split('\n').length)
      expect(lines).toBe(wanted)
      const columns = fromTable(rows, { target, missingValues: [] }).report
      const described = describeTable(columns).split('\n')
      expect(described).toHaveLength(3)
      for (const line of described) expect(line).not.toMatch(OBEYED)
    }),
    { ...runs(50), examples: [[['a\nb', 'c\nd', 'e\nf', 'g', 'h']]] },
  )
})

test('fault 45: errors of the library are one line each', () => {
  fc.assert(
    fc.property(hostileText, hostileText, (name, cell) => {
      fc.pre(name !== 'y' && name !== '__proto__')
      const wrong = [
        () => fromTable([{ [name]: 1, y: 1 }], { target: cell }),
        () =>
          fromTable(
            [
              { [name]: 1, y: 1 },
              { [name]: cell, y: 2 },
            ],
            { target: 'y' },
          ),
      ]
      for (const work of wrong)
        try {
          work()
        } catch (error) {
          expect((error as Error).message).not.toMatch(OBEYED)
          expect((error as Error).message).not.toContain('\n')
        }
    }),
    runs(2500),
  )
})
