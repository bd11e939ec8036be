/** What is read of vitest's JSON report. */
export interface Report {
  testResults: { name: string; status: string; message: string; assertionResults: TestResult[] }[]
}

export interface TestResult {
  status: string
  fullName: string
  failureMessages: string[]
}

export function failedInVitest(report: Report): string[]
export function failedInCargo(output: string): string[]
