/** Every error that users can meet is made by a helper of ts/common/errors.ts, and its message says who wants what. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

/** Exceptions: the command line prints its errors in one line, build scripts are not for users, and the code of a worker imports nothing. */
const LEFT_OUT = /^(cli\/|build\/|tune\/parallel\/worker-code)/
const HELPERS = 'common/errors.ts'

const BUILT_IN = /^(Error|TypeError|RangeError|SyntaxError|ReferenceError|EvalError|AggregateError)$/
const files = readdirSync('ts', { recursive: true, encoding: 'utf8' })
  .map((file) => file.split(path.sep).join('/'))
  .filter((file) => /(?<!\.d)\.ts$/.test(file) && !LEFT_OUT.test(file) && !file.includes('/generated/'))

/** Calls of `visit` for each node of a file. */
function walk(file: string, visit: (node: ts.Node, line: string) => void): void {
  const text = readFileSync(path.join('ts', file), 'utf8')
  // most files need no parser
  if (!/\bnew\s+\w*Error\b/.test(text)) return
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const each = (node: ts.Node): void => {
    visit(node, `ts/${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`)
    ts.forEachChild(node, each)
  }
  each(source)
}

test('errors are made by the helpers of ts/common/errors.ts, so that stack traces begin at the line of the caller', () => {
  const found: string[] = []
  for (const file of files.filter((file) => file !== HELPERS)) {
    walk(file, (node, line) => {
      // without a message it is made for its stack trace alone
      if (!ts.isNewExpression(node) || !node.arguments?.length || !ts.isIdentifier(node.expression)) return
      if (BUILT_IN.test(node.expression.text))
        found.push(`${line} wants rangeError, typeError or plainError, got new ${node.expression.text}`)
    })
  }
  expect(files.length).toBeGreaterThan(200)
  expect(found).toEqual([])
})
