import { test, expect } from '@playwright/test';

test('buy a mug', async ({ page }) => {
  await page.goto('https://shop.example/');
  await page.getByRole('textbox', { name: 'Password' }).fill('canary-hunter22');
  await page.getByRole('button', { name: 'Pay', exact: true }).click();
  await page
    .getByTestId('basket')
    .nth(2)
    .click();
  await page.getByLabel('Size').selectOption('m');
  await page.getByLabel('Terms').uncheck();
  await expect(page.getByText('Costs ${5}')).toBeVisible({ timeout: 10000 });
  await expect(page.locator('#old')).not.toBeVisible();
  await expect(page.getByLabel('Code')).toHaveValue('X1');
  await page.getByRole('link', { name: /more/i }).click();
  await page.waitForTimeout(500);
});
