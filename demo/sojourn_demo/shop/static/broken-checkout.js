// The pay page's script with the fault "broken script": it dies before it has opened the payment.
(function () {
  'use strict';
  setTimeout(function () { document.getElementById('trouble').hidden = false; document.getElementById('pay-state').hidden = true; }, 1500);
  var bank = undefined;
  bank.connect('/payments');
})();
