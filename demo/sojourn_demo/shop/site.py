"""The pages of the shop."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sojourn_demo.shop.catalogue import BY_ID, PRODUCTS, Product
from sojourn_demo.shop.html import Markup, fill, join
from sojourn_demo.shop.settings import ShopSettings
from sojourn_demo.shop.switchboard import Switchboard
from sojourn_demo.shop.visitors import CONSENT_COOKIE, USER_COOKIE, Visitor, Visitors, remember

MOST_OF_ONE = 20


def euros(amount: Decimal) -> str:
    """Money for people, such as `€ 62.00`."""
    return f"€ {amount:,.2f}"


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form post (urlencoded); the last of equal names wins."""
    return {key: values[-1] for key, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}


@dataclass(slots=True)
class Site:
    """Handlers of the pages."""

    settings: ShopSettings
    visitors: Visitors
    switchboard: Switchboard

    def routes(self) -> list[BaseRoute]:
        """The routes of the pages."""
        return [
            Route("/", self.home),
            Route("/products/{id}", self.product),
            Route("/cart", self.cart),
            Route("/cart", self.add_to_cart, methods=["POST"]),
            Route("/checkout/pay", self.pay),
            Route("/checkout/thanks", self.thanks),
            Route("/survey", self.survey),
            Route("/sign-in", self.sign_in),
            Route("/sign-in", self.signed_in, methods=["POST"]),
            Route("/consent", self.consent, methods=["POST"]),
        ]

    async def home(self, request: Request) -> Response:
        """All products."""
        cards = join([fill("card", _product(product)) for product in PRODUCTS])
        return self._page(request, "Harbour Goods", fill("home", {"cards": cards}))

    async def product(self, request: Request) -> Response:
        """One product with the button that puts it into the cart."""
        product = BY_ID.get(request.path_params["id"])
        if product is None:
            raise HTTPException(404, "There is no such product.")
        return self._page(request, product.name, fill("product", _product(product)))

    async def add_to_cart(self, request: Request) -> Response:
        """Put a product into the cart and show it."""
        form = await read_form(request)
        count = form.get("quantity", "1")
        if form.get("product") not in BY_ID or not count.isdecimal() or not 1 <= int(count) <= MOST_OF_ONE:
            raise HTTPException(400, f"A product of the shop and a quantity from 1 to {MOST_OF_ONE}, please.")
        visitor = self.visitors.find(request)
        visitor.cart[form["product"]] = min(visitor.cart.get(form["product"], 0) + int(count), MOST_OF_ONE)
        return remember(RedirectResponse("/cart", status_code=303), visitor)

    async def cart(self, request: Request) -> Response:
        """The cart, or the word that it is empty."""
        visitor = self.visitors.find(request)
        if not visitor.cart:
            return self._page(request, "Your cart", fill("empty", {}))
        return self._page(request, "Your cart", fill("cart", {"rows": _rows(visitor), "total": euros(visitor.total)}))

    async def pay(self, request: Request) -> Response:
        """The pay page: its script opens a payment at once, and places the order when the button is pressed."""
        visitor = self.visitors.find(request)
        if not visitor.cart:
            return remember(RedirectResponse("/cart", status_code=303), visitor)
        broken = self.switchboard.breaks_script(visitor)
        script = Markup('<script src="/static/broken-checkout.js"></script>' if broken else '<script src="/static/checkout.js"></script>')
        return self._page(request, "Pay", fill("pay", {"rows": _rows(visitor), "total": euros(visitor.total), "script": script}))

    async def thanks(self, request: Request) -> Response:
        """What a shopper sees after the order."""
        order = request.query_params.get("order", "")[:40]
        survey = fill("survey", {"survey": "after-order", "order": order, "question": "How satisfied are you with your visit?"})
        return self._page(request, "Thank you", fill("thanks", {"order": order or "–", "survey": survey}))

    async def survey(self, request: Request) -> Response:
        """The survey on a page of its own, as a link in a letter would open it."""
        return self._page(request, "Your opinion", fill("survey", {"survey": "by-link", "order": "", "question": "How satisfied are you with your visit?"}))

    async def sign_in(self, request: Request) -> Response:
        """Pick one of the shop's customers; a demo needs no passwords."""
        options = join([fill("option", {"id": customer.id, "name": customer.name}) for customer in self.settings.customers[:40]])
        return self._page(request, "Sign in", fill("signin", {"options": options}))

    async def signed_in(self, request: Request) -> Response:
        """Set the cookie that says who is signed in."""
        form = await read_form(request)
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(USER_COOKIE, form.get("user", "")[:64], httponly=True, samesite="lax")
        return remember(response, self.visitors.find(request))

    async def consent(self, request: Request) -> Response:
        """Keep the answer of the consent banner."""
        answer = (await read_form(request)).get("consent", "")
        if answer not in {"granted", "denied"}:
            raise HTTPException(400, "consent must be granted or denied.")
        response = Response(status_code=204)
        response.set_cookie(CONSENT_COOKIE, answer, samesite="lax")
        return remember(response, self.visitors.find(request))

    def _page(self, request: Request, title: str, content: Markup) -> Response:
        visitor = self.visitors.find(request)
        values: Mapping[str, object] = {
            "title": title,
            "content": content,
            "snippet": self._snippet(visitor),
            "items": visitor.items,
            "cart_value": visitor.total,
            "user": visitor.customer.id if visitor.customer else "",
            "account": visitor.customer.account if visitor.customer else "",
            "who": visitor.customer.name if visitor.customer else "Sign in",
            "consent": visitor.consent,
        }
        return remember(HTMLResponse(fill("layout", values)), visitor)

    def _snippet(self, visitor: Visitor) -> Markup:
        if not self.settings.snippet_url:
            return Markup("")
        return fill("snippet", {"url": self.settings.snippet_url, "app": self.settings.app, "consent": visitor.consent})


def _product(product: Product) -> dict[str, object]:
    return {
        "id": product.id,
        "name": product.name,
        "line": product.line,
        "price": euros(product.price),
        "hue": product.hue,
        "glyph": product.glyph,
    }


def _rows(visitor: Visitor) -> Markup:
    return join(
        [fill("row", {**_product(BY_ID[product]), "count": count, "sum": euros(BY_ID[product].price * count)}) for product, count in visitor.cart.items()]
    )
