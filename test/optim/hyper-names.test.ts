/**
 * The numbers of a step have one list of names in each optimizer (`hyperNames`). Its rule in Rust reads them in that order into fields of
 * these names, and its rule in TypeScript calls them so.
 */
import { readdirSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import * as gradus from '../../ts/entries/js.js'
import { createBackend, Optimizer, Parameter } from '../../ts/index.js'
import type { OptimizerInternals } from '../../ts/optim/base/internals.js'

type Class = new (parameters: Parameter[], options?: object) => Optimizer

const isOptimizer = (value: unknown): value is Class => typeof value === 'function' && value.prototype instanceof Optimizer
const classes = Object.entries(gradus as Record<string, unknown>).flatMap(([name, value]): [string, Class][] =>
  isOptimizer(value) ? [[name, value]] : [],
)
/** Options that change the kernel, or how many numbers there are. */
const VARIANTS: object[] = [
  ...[{}, { momentum: 0.9 }, { centered: true }, { centered: true, momentum: 0.9 }, { amsgrad: true }],
  ...[{ epsilonPlacement: 'inside' }, { method: 'adamw' }, { momentum: 0.9, learningRateInside: true }],
]
const backend = createBackend({ backend: 'js' })

/** An optimizer of the class with each of the options that it has. */
function made(Class: Class): Optimizer[] {
  return VARIANTS.flatMap((options) => {
    try {
      return [new Class([new Parameter([[1, 2]], { backend })], options)]
    } catch {
      return []
    }
  })
}

// ---- what Rust reads ----

const rust = Object.fromEntries(
  readdirSync('crate/optim/rules').map((file) => [file, readFileSync(`crate/optim/rules/${file}`, 'utf8').replace(/\/\/.*$/gm, '')]),
)
const whole = Object.values(rust).join('\n')
const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

/** Names by place of the numbers that a kernel reads: `field: h[2]`, or a list taken apart. */
function rustNames(kernel: string): string[] | undefined {
  for (const text of Object.values(rust)) {
    const [, parameters] = new RegExp(`export_\\w+!\\(${kernel}, ([^)]*)\\)`).exec(text) ?? []
    if (parameters === undefined) continue
    const words = parameters.split(', ')
    const [rule] = words.filter((word) => !/^\d+$|^fleet/.test(word))
    const names = /^[a-z]/.test(rule) ? takenApart(rule, text) : fieldsOf(rule, text)
    expect(names, kernel).toHaveLength(Number(words.at(-1)))
    return names
  }
  return undefined
}

/** `let &[a, b, ..] = &h[SHARED_HYPER..]` in a function. */
function takenApart(name: string, text: string): string[] {
  const [, list] = new RegExp(`fn ${name}\\([^]*?let &\\[([^\\]]*), \\.\\.\\]`).exec(text) ?? []
  return list.split(/,\s*/).map(camelCase)
}

/** The fields of a rule by the place of their number, with those of a rule inside it. */
function fieldsOf(rule: string, text: string): string[] {
  const [, alias = rule] = new RegExp(`type ${rule}<N> = (\\w+)`).exec(text) ?? []
  const [, body] = new RegExp(`From<&\\[\\w+\\]> for ${alias}\\b[^{]*\\{([^]*?)\\n\\}`).exec(`${text}\n${whole}`) ?? []
  expect(body, alias).toBeDefined()
  const names: string[] = []
  for (const [, field] of body.matchAll(/(?:(\w+): |\()h\.into\(\)/g)) {
    const struct = new RegExp(`struct ${alias}\\b[^]*?[{(][^]*?[})]`).exec(text)?.[0] ?? ''
    const [, inner] = new RegExp(field ? `${field}: (\\w+)<` : '\\((\\w+)<').exec(struct) ?? []
    names.push(...fieldsOf(inner, text))
  }
  for (const [, field, place] of body.matchAll(/(\w+): (?:h|own)\[(\d+)\]/g)) if (field !== 'scale') names[Number(place)] = camelCase(field)
  return names
}

// ---- what TypeScript calls them ----

/** A list of names in the source of an optimizer, with the names of the classes in its file. */
interface Found {
  where: string
  classes: string[]
  names: string[]
}

/**
 * The lists that `hyper`, or an argument with the type of it, is taken apart into, and those that methods `hyper` return, of which what is no
 * name is ''.
 */
function listsInSources(): { destructured: Found[]; returned: Found[] } {
  const [destructured, returned]: [Found[], Found[]] = [[], []]
  for (const file of readdirSync('ts/optim').filter((name) => name.endsWith('.ts'))) {
    const source = ts.createSourceFile(file, readFileSync(`ts/optim/${file}`, 'utf8'), ts.ScriptTarget.Latest, true)
    const classes = source.statements.flatMap((statement) => (ts.isClassDeclaration(statement) ? [statement.name?.text ?? ''] : []))
    const at = (node: ts.Node, names: string[]): Found => {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart())
      return { where: `${file}:${line + 1}`, classes, names }
    }
    const visit = (node: ts.Node): void => {
      if (ts.isMethodDeclaration(node) && node.name.getText() === 'hyper') {
        const arrays = (inner: ts.Node): void => {
          if (ts.isArrayLiteralExpression(inner) && !ts.isVariableDeclaration(inner.parent) && !ts.isConditionalExpression(inner.parent))
            returned.push(
              at(
                inner,
                inner.elements.map((element) => (ts.isIdentifier(element) ? element.text : '')),
              ),
            )
          ts.forEachChild(inner, arrays)
        }
        arrays(node)
      }
      if ((ts.isVariableDeclaration(node) || ts.isParameter(node)) && ts.isArrayBindingPattern(node.name)) {
        const from = ts.isParameter(node) ? node.type?.getText() : node.initializer?.getText()
        const names = node.name.elements.map((element) => element.getText())
        if (from === 'hyper' || from === 'readonly number[]') destructured.push(at(node, names))
      }
      ts.forEachChild(node, visit)
    }
    visit(source)
  }
  return { destructured, returned }
}

/** The lists of a class, for each of its variants. */
function listsOf(name: string): readonly (readonly string[])[] {
  const [, Class] = classes.find(([known]) => known === name) ?? []
  if (Class === undefined) return []
  const own = made(Class).flatMap((optimizer) =>
    optimizer.groups.map(({ values }) => (optimizer as unknown as OptimizerInternals).hyperNames(values)),
  )
  // the second pass of Prodigy
  return name === 'Prodigy' ? [...own, rustNames('prodigyStep') ?? []] : own
}

describe.each(classes)('%s', (_name, Class) => {
  test('has a name for each number, and the rule in Rust has them in the same order', () => {
    for (const optimizer of made(Class)) {
      const internals = optimizer as unknown as OptimizerInternals
      for (const { values, spans } of optimizer.groups) {
        const names = internals.hyperNames(values)
        if (names.length === 0) continue // a wrapper, which has no step of its own
        expect(new Set(names).size).toBe(names.length)
        const scalars = { product: 1, largestRate: 0, weightSum: 0, ...spans[0]?.scalars }
        expect(internals.hyper(values, 2, scalars)).toHaveLength(names.length)
        expect(names).toEqual(expect.arrayContaining([...(internals.scaledByRate(values) ?? [])]))
        const kernel = internals.kernel(values)
        if (kernel !== undefined) expect(rustNames(kernel), `the rule of ${kernel} in crate/optim/rules`).toEqual([...names])
      }
    }
  })
})

test('all optimizers but wrappers name their numbers', () => {
  const unnamed = Object.values(gradus.OPTIMIZERS).filter((Class) =>
    made(Class as unknown as Class).some(
      (optimizer) => (optimizer as unknown as OptimizerInternals).hyperNames(optimizer.groups[0].values).length === 0,
    ),
  )
  expect(unnamed.map(({ name }) => name)).toEqual([])
})

test('rules in TypeScript call the numbers by these names, and hyper returns them in that order', () => {
  const { destructured, returned } = listsInSources()
  expect(destructured.length).toBeGreaterThan(20)
  expect(returned.length).toBeGreaterThan(20)
  for (const { where, classes: owners, names } of destructured) {
    const lists = owners.flatMap(listsOf)
    const isList = lists.some((list) => names.every((name, i) => list[i] === name))
    expect(isList, `ts/optim/${where}: [${names.join(', ')}] is not the beginning of hyperNames of ${owners}`).toBe(true)
  }
  for (const { where, classes: owners, names } of returned) {
    const lists = owners.flatMap(listsOf).filter((list) => list.length === names.length)
    // what is named as one of the numbers stands in its place
    const isInOrder = lists.some((list) => names.every((name, i) => !list.includes(name) || list[i] === name))
    expect(isInOrder, `ts/optim/${where}: hyper returns [${names.join(', ')}] in another order than hyperNames of ${owners}`).toBe(true)
  }
})
