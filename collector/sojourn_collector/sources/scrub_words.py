"""Words by which a number is known: those that say a telephone number comes, and those that say it names a thing or counts something."""

import re
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BY_ITSELF: Final = _words(
    # English, and what others took of it
    "tel phone phones cell call calls called calling callback ring mobile mob fax whatsapp sms viber telegram signal facetime zap reach cellphone "
    "smartphone "
    # German
    "mobil mobile mobilnummer mobilnr rufnummer rückruf rückrufnummer anrufen angerufen anruf erreichbar festnetz festnetznummer "
    # French
    "tél téléphone téléphoner portable appeler appelez appelle appel rappeler rappelez rappel joignable "
    # Spanish, Portuguese, Italian
    "teléfono telefono teléfonos telefone móvil movil celular celulares llamar llame llamen llámame llámeme llamadme telemóvel ligar ligue liguem "
    "cellulare "
    "chiamare chiamate chiamatemi chiami contattatemi fono "
    # Dutch, Swedish, Danish, Norwegian, Finnish
    "telefoon telefoonnummer mobiel mobieltje bel bellen belt gsm telefon telefonnummer mobilnummer mobiltelefon tlf tfn ring ringa puh puhelin "
    "puhelinnumero soita "
    "soittakaa "
    # Polish, Czech, Slovak, Hungarian, Romanian, Turkish, Greek
    "telefonu telefonem kom komórka komórkowy zadzwoń zadzwonić dzwonić dzwoń volejte zavolejte zavolajte volat hívjon hívjanak mobilszám "
    "telefonszám sunați sunati "
    "telefonul telefonum cep cebim arayın arayınız gsm τηλ τηλέφωνο τηλεφωνο κινητό κινητο καλέστε "
    # Russian, Ukrainian
    "тел телефон телефона телефону телефоном моб мобильный мобильного мобильная сотовый сотовый звоните позвоните звонить перезвоните вотсап ватсап "
    "дзвоніть зателефонуйте мобільний "
    # Hebrew, Arabic, Persian, Urdu
    "טלפון טל נייד התקשרו هاتف الهاتف هاتفي جوال الجوال جوالي موبايل تلفون اتصل اتصلوا رقمي واتساب تلفن موبایل تماس فون "
    # Indonesian, Malay, Vietnamese
    "telepon telp hp hubungi ponsel telefon sđt đt gọi numaram"
)
"""Words that stand alone. Small letters."""

AT_THE_END: Final = re.compile(
    r".*(?:telefon|handy|phone|téléphone|telefone|telefono|teléfono|telefoon|телефон)(?:s|n|nr|nummer|nummern|numero|номер)?|"
    r"(?:phone|telefon|handy|mobil|cell|mobile|contact|whatsapp)-?(?:no|num|number)s?"
)
"""What compounds end with, such as Diensthandy; `nummer` and the like may follow."""

ANYWHERE: Final = _words(
    "电话 電話 手机 手機 联系方式 聯絡 致电 致電 拨打 撥打 携帯 ケータイ 連絡先 でんわ 전화 연락처 휴대폰 핸드폰 폰번호 โทร เบอร์ มือถือ "
    "फोन फ़ोन मोबाइल मोबाईल कॉल নম্বর ফোন மொபைல் தொலைபேசி ఫోన్"
)
"""Words of scripts that leave no blanks, or write signs between letters."""

MINE: Final = _words("my our meine unsere mon notre mi nuestro meu nosso mio nostro mijn ons mój moje nasz min mitt vår мой наш мій मेरा मेरे")
NUMBERS: Final = _words(
    "number numbers num nummer nr no n numéro número numero numer nummer číslo номер nomor số id is ist lautet est es è é jest är er for with 番号 号码 "
    "號碼 号 號 번호 नंबर"
)
"""Words between what a number is of and the number; after one of `MINE` the first of them are a telephone's."""

THINGS: Final = _words(
    # An order, an invoice, a case, an article and their like
    "order orders invoice ticket tickets case booking reservation tracking shipment parcel article sku ean gtin isbn issn asin serial "
    "imei model version build policy claim reference ref rma id ids pin code token session trace error errors voucher coupon "
    "receipt transaction po vin zip postcode "
    "bestellung bestell bestellnummer bestellnr auftrag auftragsnummer auftragsnr rechnung rechnungsnummer rechnungsnr vorgang vorgangsnummer "
    "sendung sendungsnummer "
    "artikel artikelnummer artikelnr seriennummer kundennummer kundennr vertrag vertragsnummer kontonummer buchung buchungsnummer aktenzeichen "
    "gutschein kassenbon beleg belegnummer plz "
    "commande facture dossier référence colis suivi contrat "
    "pedido pedidos factura fatura envío encomenda referencia referência protocolo cpf cnpj dni nif "
    "ordine ordini fattura spedizione pratica codice "
    "bestelling bestelnummer factuur klantnummer beställning faktura ordernummer ordrenummer tilaus lasku zamówienie zamówienia faktury "
    "zgłoszenie nip pesel "
    "objednávka objednávky rendelés számla comandă factură sipariş fatura kargo παραγγελία τιμολόγιο "
    "заказ заказа заказу счет счёт счета трек артикул договор инн замовлення рахунок "
    "הזמנה חשבונית طلب الطلب طلبي فاتورة سفارش pesanan faktur resi"
)
"""Words after which a number names a thing. Small letters."""

OWNERS: Final = _words(
    "customer user member account client contract kunde kunden konto compte client cliente cuenta conta conto klant kund konto klient клиент клиента аккаунт"
)
"""Of these a number is a thing's only where it is called one, as in customer number."""

THINGS_ANYWHERE: Final = _words(
    "订单 訂單 单号 單號 编号 編號 运单 運單 快递 发票 發票 账单 工单 型号 注文 受付番号 伝票 追跡番号 品番 주문 송장 운송장 คำสั่งซื้อ ออเดอร์ ऑर्डर आर्डर"
)
"""The same in scripts that leave no blanks."""

UNITS: Final = re.compile(
    r"[ -]?(?:[€$£¥₹₽₩元円원%]|(?:zł|kč|kr|eur|euros?|usd|gbp|chf|jpy|cny|inr|brl|pln|sek|nok|dkk|czk|huf|rub|try|cad|aud|dollars?|pounds?|yen|rupees?|"
    r"reais|руб|ms|seconds?|minutes?|times|users?|customers?|rows?|items?|kunden|nutzer|stück|km|kg|kb|mb|gb|bytes?)(?![^\W\d_]))",
    re.IGNORECASE,
)
MONEY: Final = re.compile(r"(?:[€$£¥₹₽₩]|\b(?:EUR|USD|GBP|CHF|JPY|INR|BRL|PLN)) ?\Z", re.IGNORECASE)
"""What is counted or paid: before or after these a number is no telephone's."""
