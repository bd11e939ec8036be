import { expect, test } from 'vitest'
import { withoutDocs } from '../../ts/build/without-docs.js'

test('doc comments go, other comments and texts stay', () => {
  const code = `// ts/x.ts
/** A class. */
class A {
  /**
   * Of two lines.
   */
  a = /* @__PURE__ */ f()
  /** @license MIT */
  b = \`
/** text */
\${/** in an expression */ 1}
\`
  c = /\\/\\*\\* no comment *\\//
  // a reason
  /** Gone. */
  get d() {
    /** Gone. */
    return '/** text */'
  }
}
`
  expect(withoutDocs(code)).toBe(`// ts/x.ts
class A {
  a = /* @__PURE__ */ f()
  /** @license MIT */
  b = \`
/** text */
\${/** in an expression */ 1}
\`
  c = /\\/\\*\\* no comment *\\//
  // a reason
  get d() {
    return '/** text */'
  }
}
`)
  expect(withoutDocs('const one = 1\n')).toBe('const one = 1\n')
})
