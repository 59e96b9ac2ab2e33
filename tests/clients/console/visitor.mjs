// Somebody with a browser. What the browser complains about, and what a page loads from elsewhere, is a fault.

import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'

import { check, PATIENCE } from './check.mjs'
import { routeOf } from './routes.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Colors differ between the schemes, and nothing else does. */
const RULES = {
  light: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
  dark: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] },
}
/** Rules that axe does not apply by itself. */
const ALSO = { 'target-size': { enabled: true } }
export const SCHEMES = ['light', 'dark']
export const SIZES = [{ width: 1440, height: 900 }, { width: 390, height: 844 }]
/** What the largest page may load. */
const MOST_REQUESTS = 100
const MOST_BYTES = 300 * 1024

export class Visitor {
  /** `scene` has the address of the server, the browser, the routes, and the set of those that were visited. */
  static async open(scene, options = {}) {
    const visitor = new Visitor()
    visitor.scene = scene
    visitor.faults = []
    /** The statuses of refusals that are expected. */
    visitor.refusals = []
    visitor.context = await scene.browser.newContext({ viewport: SIZES[0], baseURL: scene.url, ...options })
    visitor.context.setDefaultTimeout(PATIENCE)
    visitor.page = await visitor.context.newPage()
    visitor.#listen()
    return visitor
  }

  #listen() {
    const { faults, scene, page, context } = this
    page.on('console', (message) => {
      const isStatus = /status of (\d+)/.exec(message.text())
      if (message.type() !== 'error' || (isStatus && this.refusals.includes(Number(isStatus[1])))) return
      if (this.isOffline && message.text().includes('net::ERR_')) return
      faults.push(`${page.url()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => faults.push(`${page.url()}: ${error}`))
    page.on('dialog', (dialog) => {
      if (dialog.type() === 'confirm') return dialog.accept()
      faults.push(`${page.url()}: a page said ${dialog.message()}`)
      return dialog.dismiss()
    })
    context.on('request', (request) => {
      const url = request.url()
      const isKnown = url.startsWith(`${scene.url}/`) || this.elsewhere?.some((other) => url.startsWith(other))
      if (!isKnown) faults.push(`${page.url()} loads ${url}`)
    })
    context.on('response', (response) => {
      const { pathname } = new URL(response.url())
      if (!pathname.startsWith('/console')) return
      const [method, status] = [response.request().method(), response.status()]
      if (status < 400) {
        const route = routeOf(scene.routes, method, pathname)
        scene.visited.add(route)
        const kind = response.request().isNavigationRequest() ? 'page' : 'part'
        if (status === 200 && method === 'GET' && !scene.addresses.has(route)) scene.addresses.set(route, { pathname, kind })
      } else if (this.refusals.includes(status)) this.wasRefused = true
      else faults.push(`${method} ${pathname}: ${status}`)
    })
  }

  /** Opens a page, and checks it in every look. */
  async visit(path) {
    const response = await this.page.goto(path)
    check(response.status() === 200, `${path}: ${response.status()}`)
    await this.look()
  }

  /** Opens a page that needs no further look. */
  async go(path) {
    const response = await this.page.goto(path)
    check(response.status() === 200, `${path}: ${response.status()}`)
  }

  /** The text of an address that is no page. */
  async text(path) {
    const response = await this.page.request.get(path)
    check(response.ok(), `${path}: ${response.status()}`)
    this.scene.visited.add(routeOf(this.scene.routes, 'GET', new URL(response.url()).pathname))
    return response.text()
  }

  /** Checks the page with axe, and whether it fits, in both color schemes and both widths. */
  async look() {
    const { page } = this
    const name = new URL(page.url()).pathname
    await this.#weigh(name)
    await page.evaluate(AXE)
    for (const size of SIZES) {
      await page.setViewportSize(size)
      // The script of the page has seen the new size.
      await page.evaluate(() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen))))
      for (const colorScheme of SCHEMES) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        const violations = await page.evaluate(async ([runOnly, rules]) => {
          const { violations } = await globalThis.axe.run(document, { runOnly, rules, resultTypes: ['violations'] })
          return violations.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.map((node) => `${node.html} ${node.any[0]?.message ?? ''}`).slice(0, 3).join(' | ')}`)
        }, [RULES[colorScheme], colorScheme === 'light' ? ALSO : {}])
        for (const violation of violations) this.faults.push(`${name}, ${colorScheme}, ${size.width} px: ${violation}`)
      }
      const wide = await page.evaluate(() => {
        const root = document.documentElement
        if (root.scrollWidth <= root.clientWidth) return null
        const over = [...document.querySelectorAll('body *')].filter((one) => {
          for (let up = one; up; up = up.parentElement) if (getComputedStyle(up).overflowX !== 'visible') return false
          return one.getBoundingClientRect().right > root.clientWidth + 1
        })
        return `${root.scrollWidth} px: ${over.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)).join(' | ')}`
      })
      if (wide) this.faults.push(`${name} is wider than ${size.width} px: ${wide}`)
      await this.scene.picture?.(page, name, size.width)
    }
    await page.setViewportSize(SIZES[0])
    await page.emulateMedia({ colorScheme: 'light' })
  }

  /** Counts what a page has loaded. */
  async #weigh(name) {
    const [count, bytes] = await this.page.evaluate(() => {
      const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      return [all.length, all.reduce((sum, entry) => sum + entry.transferSize, 0)]
    })
    if (count >= MOST_REQUESTS || bytes > MOST_BYTES) this.faults.push(`${name} has ${count} requests and ${bytes} bytes`)
  }

  /** Fills fields by their labels. */
  async fill(fields) {
    for (const [label, value] of Object.entries(fields)) {
      const field = this.page.locator('main').getByLabel(label, { exact: true }).first()
      const tag = await field.evaluate((one) => `${one.tagName} ${one.type}`)
      if (tag.startsWith('SELECT')) await field.selectOption(value)
      else if (tag.endsWith('checkbox')) await field.setChecked(value)
      else await field.fill(value)
    }
  }

  /** Presses a button or follows a link of the page, and waits for the page that it leads to. */
  async press(name, within = 'main') {
    const { page } = this
    const one = page.locator(within).getByRole('button', { name, exact: true }).or(page.locator(within).getByRole('link', { name, exact: true })).first()
    await one.waitFor().catch(async () => {
      throw new Error(`${page.url()} has no ${name}:\n${(await page.locator(within).innerText()).slice(0, 2000)}`)
    })
    await this.click(one)
  }

  /** Clicks on something that leads to a page. */
  async click(one) {
    await Promise.all([this.page.waitForNavigation({ waitUntil: 'load' }), one.click()])
  }

  /** Sends a form, and expects the notice that follows. */
  async send(name, notice, within) {
    await this.press(name, within)
    await this.sees(notice)
  }

  /** The page shows this text. */
  async sees(text) {
    await this.page.locator('body').filter({ hasText: text }).waitFor().catch(async () => {
      const body = await this.page.locator('main').innerText()
      throw new Error(`${this.page.url()} does not show "${text}":\n${body.slice(0, 2000)}`)
    })
  }

  path() {
    return new URL(this.page.url()).pathname
  }

  /** Expects refusals with this status while something is done. */
  async refused(status, act) {
    this.refusals.push(status)
    this.wasRefused = false
    await act()
    this.refusals.pop()
    check(this.wasRefused, `${this.page.url()}: nothing was refused with ${status}`)
  }

  async close() {
    check(this.faults.length === 0, `the browser reports:\n${[...new Set(this.faults)].join('\n')}`)
    await this.context.close()
  }
}
