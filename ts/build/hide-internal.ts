/**
 * Takes members that are marked as internal out of the types of dist/, after tsup, so that no editor offers them: 14 of the 38 names behind `tensor.`
 * were of the engine. TypeScript's stripInternal would take whole types as well, which others are made of. Constructors stay, for what extends a class.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const isInternal = (node: ts.Node) => ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')

/** A text of declarations without internal members. */
export function withoutInternal(text: string): string {
  const source = ts.createSourceFile('types.d.ts', text, ts.ScriptTarget.ES2022, true)
  const cuts: [start: number, end: number][] = []
  const visit = (node: ts.Node): void => {
    if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeLiteralNode(node)) {
      const members = [...node.members].filter((member) => !ts.isConstructorDeclaration(member))
      // a setter has no comment of its own
      const accessors = new Set(members.flatMap((member) => (ts.isAccessor(member) && isInternal(member) ? [member.name.getText()] : [])))
      for (const member of members)
        if (isInternal(member) || (ts.isAccessor(member) && accessors.has(member.name.getText()))) cuts.push([member.pos, member.end])
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  let [out, at] = ['', 0]
  for (const [start, end] of cuts)
    if (start >= at) {
      out += text.slice(at, start)
      at = end
    }
  return out + text.slice(at)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const file of readdirSync('dist').filter((name) => name.endsWith('.d.ts'))) {
    const text = readFileSync(`dist/${file}`, 'utf8')
    writeFileSync(`dist/${file}`, withoutInternal(text))
  }
}
