/**
 * The comment of every optimizer has what a user needs to choose it: equation, uses and non-uses, defaults and their source, bytes of state (equal to
 * the class's), paper, example.
 */
import { describe, expect, test } from 'vitest'
import { createBackend } from '../../ts/backend/index.js'
import type { Optimizer } from '../../ts/index.js'
import { OPTIMIZERS } from '../../ts/optim/index.js'
import { Parameter } from '../../ts/parameter.js'
import { commentOf, papersIn, updateIn } from '../tools/optim-comments.js'

const WRAPPERS = ['Cautious', 'Lookahead', 'SAM', 'GradientAccumulation', 'WeightAverage']

/** Parts that a comment lacks. */
function lacking(comment: string): string[] {
  const [text] = comment.split('@example')
  const prose = text.replace(/^ {4}.*$/gm, '').split('When not:')[0]
  const parts = {
    'an equation': /^ {4}.*[←=:].*/m.test(text),
    'what its terms do and when to use it': prose.replace(/\s+/g, ' ').length > 90,
    'when not to use it': /^When not: \S.{20,}/m.test(text),
    'defaults and their source': /^Defaults: .{4,}/m.test(text),
    'bytes of state': /State: (none|about |\d+ bytes|[^.]*\bbytes)/.test(text),
    'a paper': /\p{Lu}[\p{L}-]+( et al\.)? (19|20)\d\d\b/u.test(text),
    'an example': /@example\s+const \w+ = new /.test(comment),
  }
  return Object.entries(parts).flatMap(([part, there]) => (there ? [] : [part]))
}

test.each([...Object.keys(OPTIMIZERS), ...WRAPPERS])('the comment of %s is whole', (name) => {
  expect(lacking(commentOf(name))).toEqual([])
})

test('the short formula and the papers of docs/optimizers.md are read from a comment', () => {
  const comment =
    ' v ← ρ·v\n\n    v ← β·v + g\n    p ← p − η·v        (see above)\n Duchi, Hazan & Singer 2011; Zeiler 2012.\n@example x(2024)'
  expect(updateIn(comment)).toBe('p −= η·v        (see above)')
  expect(papersIn(comment)).toBe('Duchi, Hazan & Singer 2011; Zeiler 2012')
})

test('a comment that lacks everything is told so', () => {
  expect(lacking('/** Descends. */')).toHaveLength(7)
})

describe('bytes of state are those of the class', () => {
  const stated = Object.keys(OPTIMIZERS).flatMap((name) => {
    const bytes = /State: (none|\d+) ?(?:bytes a parameter)?[.,; (]/.exec(commentOf(name))?.[1]
    return bytes === undefined ? [] : [[name, bytes === 'none' ? 0 : Number(bytes)] as const]
  })

  test.each(stated)('%s: %s', (name, bytes) => {
    const p = Parameter.ofShape([4, 4], { backend: createBackend({ backend: 'js' }) })
    const Class = OPTIMIZERS[name as keyof typeof OPTIMIZERS] as unknown as new (p: Parameter[]) => Optimizer
    expect(4 * new Class([p]).groups[0].slotNames.length).toBe(bytes)
  })

  test('most say a number', () => expect(stated.length).toBeGreaterThan(24))
})
