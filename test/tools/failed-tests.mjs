/** Failed tests, one line each, for the end of `make test`: a log is often read from its end, or only its end is kept. */
import path from 'node:path'

const LONGEST = 300

/** `file: name: first line of the message`, from vitest's JSON report. A file that could not be loaded has no tests, but a message. */
export function failedInVitest(report) {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = path.relative(process.cwd(), name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    if (failed.length === 0) return status === 'failed' ? [line(file, message)] : []
    return failed.map((test) => line(`${file}: ${test.fullName}`, test.failureMessages[0] ?? ''))
  })
}

/** `cargo test: name: place and message`, from what `cargo test` wrote. */
export function failedInCargo(output) {
  const sections = output.matchAll(/^---- (\S+) stdout ----\n+(?:thread .* panicked at (.*):\n)?(.*)/gm)
  return [...sections].map(([, name, place, message]) => line(`cargo test: ${name}`, place ? `${place}: ${message}` : message))
}

function line(place, message) {
  const text = `${place}: ${message.trim().split('\n')[0]}`
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text
}
