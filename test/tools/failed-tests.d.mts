/** The used part of vitest's JSON report. */
export interface Report {
  testResults: { name: string; status: string; message: string; assertionResults: TestResult[] }[]
}

export interface TestResult {
  status: string
  fullName: string
  failureMessages: string[]
}

export interface Failure {
  /** File and name of the test. */
  place: string
  /** File of the test; missing for tests of the crate. */
  file?: string
  message: string
}

export function failedInVitest(report: Report): Failure[]
export function uncaughtInVitest(printed: string): Failure[]
export function failedInCargo(output: string): Failure[]
export function lineOf(failure: Failure): string
