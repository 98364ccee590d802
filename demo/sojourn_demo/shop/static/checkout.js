// The pay page: opens a payment as soon as it is shown and places the order when the button is pressed.
(function () {
  'use strict';
  var state = document.getElementById('pay-state'), card = document.getElementById('card'), trouble = document.getElementById('trouble');
  var payment = null;

  function json(url, body) {
    return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
      .then(function (answer) { if (!answer.ok) throw new Error(url + ' answered ' + answer.status); return answer.json(); });
  }
  function fail() { state.hidden = true; card.hidden = true; trouble.hidden = false; }

  function open() {
    json('/payments', {}).then(function (opened) {
      payment = opened.payment;
      state.textContent = 'Your payment is ready.';
      card.hidden = false;
    }, fail);
  }
  card.addEventListener('submit', function (event) {
    event.preventDefault();
    card.querySelector('button').disabled = true;
    json('/orders', { payment: payment, session: window.tell && window.tell('session') }).then(function (order) {
      sessionStorage.setItem('order:' + order.order, JSON.stringify({ value: Number(order.amount), currency: order.currency }));
      location.href = order.next;
    }, fail);
  });
  // After shop.js, so that who pays is known to the snippet before the first request leaves.
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', open); else open();
})();
