// The API reference in a browser: it shows both contracts, takes a bare token, and sends requests that succeed.

import { openBrowser } from './login.mjs'

const [url, executable] = process.argv.slice(2)
const token = process.env.WINDLASS_TOKEN
const faults = []

function check(condition, what) {
  if (!condition) throw new Error(what)
}

/** The operations of a contract, by its path on the server. */
async function operations(path) {
  const contract = await (await fetch(`${url}${path}`)).text()
  return contract.match(/^ {6}operationId: /gm).length
}

/** Authorizes with a text that is pasted into the field of a scheme. */
async function authorize(page, field, text) {
  await page.click('button.authorize')
  await page.fill(field, text)
  await page.locator('.auth-container', { has: page.locator(field) }).locator('button.authorize').click()
  await page.click('button.btn-done')
}

/** Tries an operation out with the examples, except for these parameters, and returns the status of the response. */
async function tryOut(page, tag, operation, parameters = {}) {
  const block = page.locator(`#operations-${tag}-${operation}`)
  await block.locator('.opblock-summary-control').click()
  await block.locator('button.try-out__btn').click()
  for (const [name, value] of Object.entries(parameters)) {
    await block.locator(`tr[data-param-name="${name}"] input`).fill(value)
  }
  await block.locator('button.execute').click()
  return Number.parseInt(await block.locator('.live-responses-table tr.response .response-col_status').first().textContent(), 10)
}

const browser = await openBrowser(executable)
try {
  const page = await browser.newPage()
  page.on('console', (message) => message.type() === 'error' && faults.push(`${message.text()} ${message.location().url}`))
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('requestfailed', (request) => faults.push(`${request.url()} failed`))
  await page.goto(`${url}/docs`)
  await page.waitForSelector('.opblock')
  check(await page.locator('.opblock').count() === await operations('/openapi.yaml'), 'operations are missing')
  await authorize(page, '#api_key_value', token)
  check(await tryOut(page, 'Organization_Main_Calls', 'listOrganization') === 200, 'a bare token is not accepted')
  const headers = { Authorization: `Token ${token}` }
  const organization = (await (await fetch(`${url}/organization`, { headers })).json()).results[0].id
  const created = await tryOut(page, 'Projects', 'createProject', { organizationId: organization })
  check(created === 200, `the example of a project was answered ${created}`)
  await page.selectOption('#contract', 'terrakube')
  await page.waitForURL(/contract=terrakube/)
  await page.waitForSelector('#operations-tag-createTagOfOrganization')
  check(await page.locator('.opblock').count() === await operations('/terrakube.yaml'), 'operations are missing')
  await authorize(page, '#auth-bearer-value', `Token ${token}`)
  const tag = await tryOut(page, 'tag', 'createTagOfOrganization', { organizationId: organization })
  check(tag === 201, `the example of a tag was answered ${tag}`)
  check(faults.length === 0, `the browser reports:\n${faults.join('\n')}`)
  console.log('API reference: both contracts, a bare token, and examples that are accepted')
} finally {
  await browser.close()
}
