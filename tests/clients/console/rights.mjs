// What others see: a viewer has no button that would be refused, a stranger finds no page, and no other site can send a form.

import { check } from './check.mjs'

/** The forms of the page: where each is sent, and with which fields. */
function forms(page) {
  return page.evaluate(() => [...document.querySelectorAll('main form[method=post]')].flatMap((form) => {
    const buttons = [...form.querySelectorAll('button')]
    return buttons.map((button) => ({ to: button.getAttribute('formaction') ?? form.getAttribute('action') ?? location.pathname, fields: Object.fromEntries(new FormData(form, button)) }))
  }))
}

/** No form, and no link to one, that a viewer sees is refused. */
export async function viewerIsNotTempted(viewer, paths) {
  const { page } = viewer
  const links = new Set()
  for (const path of paths) {
    viewer.refusals.push(403, 404)
    const status = (await page.goto(path)).status()
    viewer.refusals.splice(-2)
    // Forms and settings are only for those who may change things, and some of what was visited is deleted.
    if (status >= 400) continue
    const found = await forms(page)
    for (const { to, fields } of found) {
      const response = await page.request.post(to, { form: fields, maxRedirects: 0 })
      check(response.status() !== 403, `${path}: a viewer sees a form for ${to}, which is refused`)
    }
    for (const href of await page.locator('main a[href^="/console"], header a[href^="/console"]').evaluateAll((all) => all.map((one) => one.getAttribute('href').split('#')[0]))) links.add(href)
  }
  for (const href of links) {
    const { status } = await viewer.page.request.get(href, { maxRedirects: 0 }).then((response) => ({ status: response.status() }))
    check(status < 400, `a viewer sees a link to ${href}, which answers ${status}`)
  }
}

/** Nothing of an organization is there for somebody who does not belong to it. */
export async function strangerFindsNothing(stranger, paths) {
  for (const path of paths) {
    const response = await stranger.page.request.get(path, { maxRedirects: 0 })
    check(response.status() === 404, `${path} answers a stranger ${response.status()}`)
  }
}

/** A form without the token of the session, or from another site, is refused, and nothing happens. */
export async function foreignFormsAreRefused(me, paths) {
  for (const path of paths) {
    me.refusals.push(404)
    await me.page.goto(path)
    me.refusals.pop()
    for (const { to, fields } of await forms(me.page)) {
      for (const csrf of [undefined, 'of-another-session']) {
        const form = { ...fields }
        if (csrf) form.csrf = csrf
        else delete form.csrf
        const response = await me.page.request.post(to, { form, maxRedirects: 0 })
        check(response.status() === 403, `${to} accepts a form with the token ${csrf}: ${response.status()}`)
      }
    }
  }
  const headers = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://elsewhere.invalid' }
  const response = await me.page.request.post('/console/sign-out', { form: {}, headers, maxRedirects: 0 })
  check(response.status() === 403, `a form of another site is answered ${response.status()}`)
}
