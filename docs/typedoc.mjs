/**
 * What typedoc.json cannot say: pages of the API are sorted into categories by the folder that their source is in; guides are named
 * by their headings; links of the guides to source files lead to the pages of what these files hold, or else to the repository.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Comment, CommentTag, Converter, ReflectionKind } from 'typedoc'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const REPOSITORY = 'https://github.com/gradus-js/gradus/blob/main/'
const IMAGES = /\.(svg|png)$/

/** Folder or file of ts/ → category. */
const CATEGORIES = {
  tensor: 'Tensors',
  autograd: 'Tensors',
  parameter: 'Tensors',
  random: 'Tensors',
  ops: 'Tensors',
  nn: 'Layers',
  loss: 'Losses',
  optim: 'Optimizers',
  schedule: 'Schedules',
  train: 'Training',
  curvature: 'Curvature',
  solve: 'Solvers',
  data: 'Data',
  io: 'Saving',
  metrics: 'Metrics',
  backend: 'Backends',
  common: 'Backends',
}

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const [, title] = /^# (.+)$/m.exec(document.content.map(({ text }) => text).join('')) ?? []
    if (title) document.name = title
    addCategory(document, 'Guides')
  })
  // Before typedoc's own plugins sort into categories.
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => prepare(project), 1000)
}

function prepare(project) {
  for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
    for (const member of module.children ?? []) addCategory(member, categoryOf(member))
  }
  const pages = pagesBySource(project)
  const documents = project.getReflectionsByKind(ReflectionKind.Document).map(({ content }) => content)
  for (const content of [...documents, project.readme ?? []]) for (const i of content.keys()) leadSomewhere(content, i, pages, project)
}

function addCategory(reflection, category) {
  reflection.comment ??= new Comment()
  reflection.comment.blockTags.push(new CommentTag('@category', [{ kind: 'text', text: category }]))
}

function sourceOf(reflection) {
  const source = reflection.sources?.[0] ?? reflection.signatures?.[0]?.sources?.[0]
  return source && path.relative(ROOT, source.fullFileName).split(path.sep).join('/')
}

/** @throws Error for a source that has no category yet */
function categoryOf(member) {
  // A namespace, `export * as`, stands in index.ts; what it holds does not.
  const shown = member.kindOf(ReflectionKind.Namespace) ? member.children[0] : member
  const target = shown.isReference?.() ? shown.getTargetReflectionDeep() : shown
  const file = sourceOf(target) ?? ''
  const category = CATEGORIES[file.split('/')[1]?.replace(/\.ts$/, '')]
  if (!category) throw new Error(`${member.name}: no category for '${file}' in docs/typedoc.mjs`)
  return category
}

/** Members by their source file, classes first. */
function pagesBySource(project) {
  const pages = new Map()
  const members = project.getReflectionsByKind(ReflectionKind.Module).flatMap(({ children }) => children ?? [])
  for (const kind of [ReflectionKind.Class, ReflectionKind.Function]) {
    for (const member of members.filter((m) => m.kindOf(kind))) {
      const file = sourceOf(member)
      pages.set(file, [...(pages.get(file) ?? []), member])
    }
  }
  return pages
}

/** A link to a source file leads to the page of what the link is named after, else of the file's first; any other to the repository. */
function leadSomewhere(content, i, pages, project) {
  const part = content[i]
  if (part.kind !== 'relative-link' || part.target === undefined || IMAGES.test(part.text)) return
  const target = project.files.resolve(part.target, project)
  if (typeof target !== 'string') return
  const file = path.relative(ROOT, target).split(path.sep).join('/')
  const members = pages.get(file)
  if (members) {
    const [, name] = /\[`?(\w+)`?\]\($/.exec(content[i - 1]?.text ?? '') ?? []
    const member = members.find((m) => m.name === name) ?? members[0]
    const place = path.posix.join(ROOT, file, member.name)
    project.files.registerReflectionPath(place, member)
    part.target = project.files.registerAbsolute(place).target
  } else {
    part.kind = 'text'
    part.text = `${REPOSITORY}${file}${part.targetAnchor ? `#${part.targetAnchor}` : ''}`
  }
}
