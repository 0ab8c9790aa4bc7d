import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../../src/audit/report.ts';
import { CHROMIUM } from '../../support/chromium.ts';
import { documentOf } from '../../support/documents.ts';
import { auditFixture, auditSpec } from '../../support/models.ts';

if (CHROMIUM === null) console.warn('No Chromium is installed (set CHROMIUM_PATH): pages are not opened in a browser.');

const HOSTILE = `"><img src="https://evil.example/x.png" onerror="alert(1)"></text></svg><script>alert(1)</script>`;

const hostile = (): Report =>
  auditSpec(
    {
      name: HOSTILE,
      inputs: { [HOSTILE]: [1, 16, 8, 8] },
      initializers: { w: { dims: [64, 16, 3, 3] } },
      nodes: [{ op: 'Conv', inputs: [HOSTILE, 'w'], outputs: ['y'], name: HOSTILE }],
      outputs: ['y'],
    },
    { path: HOSTILE },
  );

describe.skipIf(CHROMIUM === null)('the page in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dsc-audit-page-'));
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] });
  });

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Opened {
    readonly page: Page;
    /** Everything that the console said, and every request but that of the page itself. */
    readonly trouble: readonly string[];
  }

  async function open(
    reports: readonly Report[],
    width = 1200,
    colorScheme: 'light' | 'dark' = 'light',
  ): Promise<Opened> {
    const path = join(folder, 'report.html');
    writeFileSync(path, await documentOf('html', reports));
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    const trouble: string[] = [];
    page.on('console', (message) => trouble.push(message.text()));
    page.on('pageerror', (error) => trouble.push(error.message));
    page.on('dialog', (dialog) => trouble.push(dialog.message()));
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(path).href) trouble.push(request.url());
    });
    await page.goto(pathToFileURL(path).href);
    return { page, trouble };
  }

  it.each([
    ['a candidate-rich model', () => [auditFixture('onnx/resnet18.onnx')]],
    ['one without candidates', () => [auditFixture('onnx/mobilenet_v2.onnx')]],
    ['one with unknown figures', () => [auditFixture('edge/custom_op_unknown.onnx')]],
    ['several', () => [auditFixture('onnx/digits_cnn.onnx'), auditFixture('onnx/vgg16.onnx')]],
    ['hostile names', () => [hostile()]],
  ])('shows %s without a word on the console, and asks for nothing', async (_, reports) => {
    const { page, trouble } = await open(reports());
    expect(trouble).toEqual([]);
    expect(await page.locator('h1').first().isVisible()).toBe(true);
    await page.close();
  });

  it.each([
    [360, 'light'],
    [768, 'dark'],
    [1400, 'light'],
  ] as const)('fits %i columns, %s', async (width, scheme) => {
    const { page } = await open([auditFixture('onnx/resnet18.onnx')], width, scheme);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    const background = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(background).toBe(scheme === 'dark' ? 'rgb(20, 23, 26)' : 'rgb(255, 255, 255)');
    await page.close();
  });

  it('says the verdict and the totals on the first screen of a phone', async () => {
    const { page } = await open([auditFixture('onnx/resnet18.onnx')], 375);
    for (const text of ['16 of 20 convolutions could become depthwise separable.', '1.81 G', '11.7 M']) {
      const box = await page.getByText(text, { exact: true }).first().boundingBox();
      expect(box && box.y + box.height).toBeLessThan(600);
    }
    await page.close();
  });

  it('sorts the layers by mouse and by keyboard, what is not known last', async () => {
    const { page } = await open([auditFixture('onnx/resnet18.onnx')]);
    const first = () => page.locator('table.layers tbody tr').first().innerText();
    const sorted = (name: string) => page.locator('th', { hasText: name }).getAttribute('aria-sort');
    expect(await first()).toContain('conv1');
    await page.getByRole('button', { name: 'Params' }).click();
    expect(await first()).toMatch(/2\.36 M/);
    expect(await sorted('Params')).toBe('descending');
    await page.getByRole('button', { name: 'As DSC' }).focus();
    await page.keyboard.press('Enter');
    expect(await first()).toMatch(/−\d+/);
    await page.keyboard.press('Space');
    expect(await sorted('As DSC')).toBe('ascending');
    expect(await page.locator('table.layers tbody tr').last().innerText()).not.toMatch(/−\d+/);
    await page.getByRole('button', { name: 'Layer' }).click();
    expect(await first()).toContain('avgpool');
    await page.close();
  });

  it('tells in words what each chart shows, and draws every layer before and after', async () => {
    const report = auditFixture('onnx/resnet18.onnx');
    const { page } = await open([report]);
    const charts = page.getByRole('img');
    expect(await charts.count()).toBe(4);
    for (const chart of await charts.all())
      expect((await chart.getAttribute('aria-label'))?.length).toBeGreaterThan(40);
    const working = report.layers.filter(({ flops }) => flops !== null && flops > 0).length;
    expect(await page.locator('figure.roofline title').count()).toBe(working + report.dsc.candidates.length);
    await page.close();
  });

  it('leads from the overview to each model', async () => {
    const { page } = await open([auditFixture('onnx/digits_cnn.onnx'), auditFixture('onnx/vgg16.onnx')], 1000);
    await page.getByRole('link', { name: 'vgg16' }).click();
    const box = await page.locator('article').nth(2).boundingBox();
    expect(Math.abs(box?.y ?? 1000)).toBeLessThan(10);
    await page.close();
  });

  it('runs nothing but its own script, even if a name got through', async () => {
    const path = join(folder, 'injected.html');
    const text = await documentOf('html', [auditFixture('onnx/digits_cnn.onnx')]);
    const script = '<script>document.title = "injected"</script><img src="https://evil.example/x.png">';
    writeFileSync(path, text.replace('</main>', `${script}</main>`));
    const page = await browser.newPage();
    const refused: string[] = [];
    page.on('console', (message) => refused.push(message.text()));
    await page.goto(pathToFileURL(path).href);
    expect(await page.title()).not.toBe('injected');
    expect(refused.filter((text) => text.includes('Content Security Policy')).length).toBeGreaterThanOrEqual(2);
    await page.close();
  });
});
