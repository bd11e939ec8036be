/** Takes doc comments out of bundled code. Editors read them in the types; esbuild keeps those inside of classes and functions. */
import ts from 'typescript'

/** Comments for programs: annotations of bundlers, and licenses. */
const KEPT = /@license|@preserve|copyright|[@#]__/i

/**
 * Code without the doc comments that stand on lines of their own.
 *
 * @example withoutDocs('/** Two. *\/\nconst two = 2\n') // 'const two = 2\n'
 */
export function withoutDocs(code: string): string {
  if (!code.includes('/**')) return code
  const cuts = new Map<number, number>()
  const visit = (node: ts.Node): void => {
    for (const { pos, end } of ts.getLeadingCommentRanges(code, node.pos) ?? []) {
      const from = code.lastIndexOf('\n', pos) + 1
      const isAlone = code.slice(from, pos).trim() === '' && code[end] === '\n'
      if (isAlone && code.startsWith('/**', pos) && !KEPT.test(code.slice(pos, end))) cuts.set(from, end + 1)
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('code.js', code, ts.ScriptTarget.Latest, false, ts.ScriptKind.JS))
  let [out, at] = ['', 0]
  for (const [from, end] of [...cuts].sort(([a], [b]) => a - b)) {
    out += code.slice(at, from)
    at = end
  }
  return out + code.slice(at)
}
