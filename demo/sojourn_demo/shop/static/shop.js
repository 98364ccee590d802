// What every page of the shop does: identity, cart and consent for the snippet, the consent banner, the survey widget.
(function () {
  'use strict';
  var body = document.body;
  // The shop works the same when the snippet could not be loaded.
  window.tell = function () { return typeof window.sojourn === 'function' ? window.sojourn.apply(null, arguments) : undefined; };
  if (body.dataset.user) tell('identify', { user: body.dataset.user, account: body.dataset.account || undefined });
  var cart = Number(body.dataset.cart);
  if (cart > 0) tell('cart', { value: cart, currency: 'EUR' });

  document.querySelectorAll('[data-hue]').forEach(function (picture) { picture.style.setProperty('--hue', picture.dataset.hue); });

  var banner = document.getElementById('consent');
  banner.hidden = body.dataset.consent !== 'unknown';
  banner.addEventListener('click', function (event) {
    var answer = event.target.dataset.consentAnswer;
    if (!answer) return;
    banner.hidden = true;
    tell('consent', answer);
    if (body.dataset.user) tell('identify', { user: body.dataset.user, account: body.dataset.account || undefined });
    fetch('/consent', { method: 'POST', body: new URLSearchParams({ consent: answer }) });
  });

  var thanks = document.getElementById('thanks');
  if (thanks && thanks.dataset.order) {
    var order = thanks.dataset.order, bought = JSON.parse(sessionStorage.getItem('order:' + order) || 'null');
    if (bought) {
      sessionStorage.removeItem('order:' + order); // a reload of this page is not another order
      tell('convert', 'order_completed', { value: bought.value, currency: bought.currency, order: order });
    }
  }

  var survey = document.getElementById('survey');
  if (survey) survey.addEventListener('submit', async function (event) {
    event.preventDefault();
    var said = survey.querySelector('.sent'), form = new FormData(survey);
    var answer = await fetch('/survey', {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        value: Number(form.get('value')), comment: form.get('comment'), survey: survey.dataset.survey,
        order: survey.dataset.order, session: tell('session')
      })
    }).catch(function () { return { ok: false }; });
    said.textContent = answer.ok ? 'Thank you, that helps.' : 'That did not arrive, please try again.';
  });
})();
