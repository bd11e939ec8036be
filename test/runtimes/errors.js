/** Reports what would otherwise be silence: a module that does not load, an error that nobody caught. */
window.gradusReport = async (report) => {
  const page = new URLSearchParams(location.search).get('page')
  const answer = await fetch('/report', { method: 'POST', body: JSON.stringify({ page, ...report }) })
  const next = await answer.text()
  if (next !== '') location.href = next
}
addEventListener('error', (event) => window.gradusReport({ error: String(event.message ?? `${event.target.src} does not load`) }), true)
addEventListener('unhandledrejection', (event) => window.gradusReport({ error: String(event.reason?.stack ?? event.reason) }))
