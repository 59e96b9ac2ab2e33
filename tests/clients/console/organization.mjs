// The pages of an organization: overview, timeline, forecast, settings, and the account.

import { createServer } from 'node:http'

import { check } from './check.mjs'

export async function seeOrganization(me, id) {
  const { page } = me
  const path = `/console/organization/${id}`
  await me.visit('/console')
  await me.visit(path)
  await me.sees('Needs attention')
  await me.visit(`${path}?q=nothing-has-this-name`)
  await me.visit(`${path}/timeline`)
  for (const span of ['15m', '7d', '30d']) await me.visit(`${path}/timeline?span=${span}&zone=Europe/Berlin`)
  await me.visit(`${path}/forecast`)
  // "/" leads to the search.
  await me.go(path)
  await page.keyboard.press('/')
  check(await page.evaluate(() => document.activeElement?.type) === 'search', '"/" does not lead to the search')
  await me.refused(404, () => page.goto('/console/no/such/page'))
  await me.look()
}

/** Members, roles, tokens, and the pages that list what the API has created. */
export async function tendSettings(me, api, id) {
  const { page } = me
  const path = `/console/organization/${id}/settings`
  await me.visit(path)
  await page.fill('main input[name=email]', 'bob@example.invalid')
  await me.press('Invite')
  await me.sees('bob@example.invalid')
  await page.fill('main input[name=email]', 'bob@example.invalid')
  await me.press('Invite')
  await me.sees('has already been invited')
  await me.look()
  await me.press('Withdraw')
  check(!(await page.locator('main').innerText()).includes('bob@example.invalid'), 'the invitation is still there')
  for (const tab of ['roles', 'tokens', 'logins', 'clusters', 'webhooks', 'push-hooks', 'calendars', 'events']) await me.visit(`${path}/${tab}`)
  await me.go(`${path}/tokens`)
  await page.fill('main input[name=name]', 'of a browser')
  await me.press('Create')
  await me.sees('Copy it now')
  await me.look()
  await me.click(page.locator('tr', { hasText: 'of a browser' }).getByRole('button', { name: 'Revoke' }))
  check(!(await page.locator('main').innerText()).includes('of a browser'), 'the token is still there')
}

/** Changes and removes a member, and revokes a personal token. */
export async function tendMember(me, api, id, person) {
  const { page } = me
  const path = `/console/organization/${id}/settings`
  const row = () => page.locator('tr', { hasText: person })
  await api.post('/pat/v1', { description: 'of a laptop', days: 1, hours: 0, minutes: 0 })
  await me.go(`${path}/tokens`)
  await me.look()
  const own = page.locator('tr', { hasText: 'personal' }).getByRole('button', { name: 'Revoke' })
  await me.click(own)
  check(await own.count() === 0, 'the personal token is still there')
  await me.go(path)
  await row().getByRole('combobox').selectOption({ label: 'devops' })
  await me.click(row().getByRole('button', { name: 'Change' }))
  await me.look()
  await me.click(row().getByRole('button', { name: 'Remove' }))
  check(await row().count() === 0, 'the member is still there')
}

/** Ends another session of the same token. */
export async function tendAccount(me, other) {
  await me.visit('/console/account')
  const rows = me.page.locator('tbody tr')
  const before = await rows.count()
  check(before > 1, 'the other session is not listed')
  await me.click(rows.filter({ hasNotText: 'this one' }).first().getByRole('button', { name: 'End' }))
  check(await rows.count() === before - 1, 'the session is still there')
  await other.page.goto('/console/account')
  check(other.path() === '/console/sign-in', 'the session still works')
}

/** Creates and revokes a token of one's own. */
export async function tendTokens(me) {
  await me.go('/console/account')
  await me.press('Your tokens')
  await me.look()
  await me.fill({ 'What for': '  ' })
  await me.refused(400, () => me.press('Create'))
  await me.look()
  await me.fill({ 'What for': 'of a laptop here' })
  await me.press('Create')
  await me.sees('Copy it now')
  await me.look()
  const row = me.page.locator('tr', { hasText: 'of a laptop here' })
  await me.click(row.getByRole('button', { name: 'Revoke' }))
  check(await row.count() === 0, 'the token is still there')
}

/** Agrees that a program on this computer acts as the visitor, as `terraform login` asks, and sees that it gets a code. */
export async function allowProgram(me) {
  const program = createServer((request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<link rel="icon" href="data:,"><p>Signed in.')
  })
  await new Promise((done) => program.listen(0, '127.0.0.1', done))
  const listens = `http://127.0.0.1:${program.address().port}`
  const query = new URLSearchParams({
    client_id: 'terraform-cli', response_type: 'code', redirect_uri: `${listens}/login`, state: 'seen',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  })
  await me.visit(`/console/authorize?${query}`)
  me.elsewhere = [...me.elsewhere ?? [], `${listens}/`]
  await me.press('Allow')
  const { origin, searchParams } = new URL(me.page.url())
  check(origin === listens && searchParams.get('state') === 'seen' && searchParams.get('code'), `the program was not told: ${me.page.url()}`)
  await me.go('/console/account')
  program.close()
}

/** Creates an organization, whose pages are still empty. */
export async function createOrganization(me) {
  await me.go('/console/account')
  await me.press('New organization')
  await me.look()
  await me.fill({ Name: '  ' })
  await me.refused(400, () => me.press('Create'))
  await me.look()
  await me.fill({ Name: 'made here' })
  await me.press('Create')
  await me.sees('made here')
  await me.look()
  await me.visit(`${me.path()}/settings/alerts`)
  await me.visit('/console')
}
