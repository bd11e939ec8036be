/** Failed tests, one line each, for the end of `make test`: a log is often read from its end, or only its end is kept. */
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const LONGEST = 300

/** Place (`file: name`) and first line of the message, from vitest's JSON report. A file that could not be loaded has no tests, but a message. */
export function failedInVitest(report) {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = path.relative(process.cwd(), name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    if (failed.length === 0) return status === 'failed' ? [{ place: file, file, message: firstLine(message) }] : []
    return failed.map((test) => ({ place: `${file}: ${test.fullName}`, file, message: firstLine(test.failureMessages[0] ?? '') }))
  })
}

/** Errors that no test caught, such as a promise that nobody waited for, and the file that ran meanwhile, from what vitest prints. */
export function uncaughtInVitest(printed) {
  const sections = stripVTControlCharacters(printed).matchAll(
    /^⎯+ (?:Unhandled|Uncaught) (?:Rejection|Error|Exception) ⎯+\n(.*)\n[\s\S]*?^This error originated in "(.*?)" test file/gm,
  )
  return [...sections].map(([, message, file]) => ({ place: `${file}: an error that no test caught`, file, message: firstLine(message) }))
}

/** Name of the test, and place and message of its panic, from the output of `cargo test`. */
export function failedInCargo(output) {
  const sections = output.matchAll(/^---- (\S+) stdout ----\n+(?:thread .* panicked at (.*):\n)?(.*)/gm)
  return [...sections].map(([, name, at, message]) => ({ place: `cargo test: ${name}`, message: at ? `${at}: ${message}` : message }))
}

/** The line that names a failed test. */
export function lineOf({ place, message }) {
  const text = `${place}: ${message}`
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text
}

const firstLine = (message) => message.trim().split('\n')[0]
