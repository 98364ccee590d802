-- Which purchase an order is of: `purchase` is the id under which other feeds know it too, and `order_key` counts it once. An id that only its feed knows
-- is that feed's: the 1001 of one shop is not that of another. Rows of before by the names their feeds then had; a replay tells more of Stripe's and Shopify's.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS purchase String DEFAULT if(source IN ('api', 'segment'), id, ''),
  ADD COLUMN IF NOT EXISTS order_key String DEFAULT if(purchase = '', concat(source, '/', id), concat('/', purchase))
