"""What people write in comments, in many languages: what of it goes, and what stays."""

import pytest

from sojourn_collector.sources.scrub import scrub

GOES = """
info@müller.de | [email]
Bitte an jürgen@example.de schreiben | Bitte an [email] schreiben
Schreib mir: JÜRGEN.GROß@straße.example! | Schreib mir: [email]!
ju\u0308rgen@example.de | [email]
mail<anna.świątek@żółw.pl> | mail<[email]>
ñandú.pérez@correo.es, gracias | [email], gracias
напишите на иван@почта.рф пожалуйста | напишите на [email] пожалуйста
राम@उदाहरण.भारत | [email]
请联系joe@example.com谢谢 | 请联系[email]谢谢
用户@例子.公司 | [email]
メールはtaro.yamada@example.co.jpです | メールは[email]です
joe@example.com으로 연락 주세요 | [email]으로 연락 주세요
ติดต่อsomchai@example.co.thครับ | ติดต่อ[email]ครับ
joe＠example．com | [email]
"joe doe"@example.com said so | [email] said so
joe@xn--mller-kva.de | [email]
call me at 5551234567 | call me at [phone]
my number is 5551234567 | my number is [phone]
Please ring me back on 7911123456 | Please ring me back on [phone]
Phone: (555) 123 4567 | Phone: [phone]
tel:01712345678 | tel:[phone]
Tel.01712345678 | Tel.[phone]
Danke.01712345678 | Danke.[phone]
+4917012345678,danke | [phone],danke
Handy 1712345678 bitte anrufen | Handy [phone] bitte anrufen
meine Nummer ist 1712345678 | meine Nummer ist [phone]
Diensthandynummer 901820 | Diensthandynummer [phone]
Ruf 0170 1234567 mal an | Ruf [phone] mal an
order late, 0170 1234567 | order late, [phone]
Mon portable : 612345678 | Mon portable : [phone]
appelez-moi au 01.23.45.67.89 | appelez-moi au [phone]
le 06 12 34 56 78 svp | le [phone] svp
Llámame al 612345678 | Llámame al [phone]
612 345 678 | [phone]
612 34 56 78 gracias | [phone] gracias
Ligue para 11 91234-5678 | Ligue para [phone]
11 91234-5678 | [phone]
(11) 91234-5678 | [phone]
il mio numero è 3331234567 | il mio numero è [phone]
cell. 333 1234567 | cell. [phone]
Bel mij op 612345678 | Bel mij op [phone]
proszę dzwonić 601234567 | proszę dzwonić [phone]
601 234 567 | [phone]
22 123 45 67 | [phone]
zavolejte mi na 601234567 | zavolejte mi na [phone]
tlf. 91234567 | tlf. [phone]
puh 401234567 | puh [phone]
мой номер 9121234567 | мой номер [phone]
позвоните 8 (912) 345-67-89 | позвоните [phone]
8 912 345-67-89 | [phone]
telefonum 5321234567 | telefonum [phone]
κινητό 6912345678 | κινητό [phone]
الهاتف ٠١٠١٢٣٤٥٦٧٨ | الهاتف [phone]
جوالي 501234567 | جوالي [phone]
טלפון 501234567 | טלפון [phone]
मेरा फोन 9876543210 है | मेरा फोन [phone] है
मेरा नंबर 9876543210 | मेरा नंबर [phone]
फोन नंबर 9876543210 | फोन नंबर [phone]
98765 43210 | [phone]
我的电话是13812345678 | 我的电话是[phone]
手机号码：13812345678，谢谢 | 手机号码：[phone]，谢谢
请打13812345678谢谢 | 请打[phone]谢谢
电话+8613812345678请回 | 电话[phone]请回
電話１３８１２３４５６７８ | 電話[phone]
138 1234 5678 | [phone]
電話は090-1234-5678です | 電話は[phone]です
전화 010-1234-5678 주세요 | 전화 [phone] 주세요
โทร 812345678 ค่ะ | โทร [phone] ค่ะ
hubungi 812345678 | hubungi [phone]
sđt 912345678 | sđt [phone]
https://wa.me/491712345678 | https://wa.me/[phone]
0171‑2345678 | [phone]
07700 900123 | [phone]
IBAN:DE89370400440532013000 | IBAN:[iban]
账号DE89370400440532013000谢谢 | 账号[iban]谢谢
DE89-3704-0044-0532-0130-00 | [iban]
DE89 3704 0044 0532 0130 00 gehört mir | [iban] gehört mir
卡号4111111111111111谢谢 | 卡号[card]谢谢
4111 1111 1111 1111 12/27 | [card] 12/27
bill 12 4111 1111 1111 1111 | bill 12 [card]
カード４１１１１１１１１１１１１１１１ | カード[card]
"""

STAYS = """
order 5551234567 was late
Order no. 0012345678
my order number is 0012345678
Order #0012345678 and #612345678
ORD-0012345678, RMA-0123456789
I called about order 5551234567
called 3 times in 2025 and 2026
I called on 27.11.2026 at 10:00
call me after 2026-11-27
phone cost 1299.00 EUR
phone is 1234567 bytes large
phone with version 10.12.1234
called support, paid 1500000 EUR
customer number 0012345678
invoice 0012345678/2026
ticket 0123456789 is open
ISBN 0306406152
tracking number 302 1234567
the hotel 12345678
tell me 12345678
am 01.02.2026 10:00 bestellt
vom 01.02.2026 bis 03.04.2026
on 03/04/2026 or 03-04-2026
01.02.26 und 11/12/25
20261127 and 20251231
offen 0900-1700
Bestellnummer 0012345678
Bestellung Nr. 0012345678 fehlt
Auftrag: 0012345678
Rechnungsnr. 0170123456
Kundennummer: 0012345678
Seriennummer 0123456789
kostet 1.234.567,89 €
10 000 000 EUR Umsatz
1 612 345 678 Menschen
612 345 678 EUR
$612 345 678
commande 0612345678
facture n° 0612345678
pedido 0612345678 no llegó
número de pedido 0612345678
fattura 0612345678
zamówienie 0612345678
заказ 0612345678 не пришёл
заказ № 0612345678
sipariş 0612345678
طلب 0612345678
订单号13812345678
订单13812345678还没到
订单编号是13812345678
注文番号0901234567
주문번호 0101234567
価格は1234567円です
花了13800元
2026年11月27日
version 3.11.2.0001234 of the app
IP 192.168.100.200 and 10.0.0.1
at 1764236400000 ms, 1764236400 s
session 550e8400-e29b-41d4-a716-446655440000
trace 4bf92f3577b34da6a3ce929d0e0e4736
eBay 12-34567-89012
Amazon 302-1234567-1234567
size 90 60 90, 38 40 42
1 2 3 4 5 6 7 8 9 10
5 5 4 5 4 3 5 5 4 5 5 5
2 pieces@1.50
@joe wrote so
me @ home
10:00-12:30, 7/10, 24/7
50.1234567, 8.1234567
"""


@pytest.mark.parametrize("line", GOES.strip().splitlines())
def test_personal_data_goes_in_any_language(line: str) -> None:
    """What belongs to a person is replaced, and no word around it."""
    text, _, left = line.partition(" | ")
    assert scrub(text) == left


@pytest.mark.parametrize("text", STAYS.strip().splitlines())
def test_what_names_things_or_counts_stays(text: str) -> None:
    """Numbers of orders, prices, dates, versions and ids are nobody's."""
    assert scrub(text) == text
