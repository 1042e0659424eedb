"""The demo's mail and site go in, pictures of them for the README come out (docs/pictures/)."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
import threading
from email import message_from_bytes, policy
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from muster.reports import addresses
from muster.serving import server

ROOT = Path(__file__).parents[1]
DEMO = ROOT / ".demo"
PICTURES = ROOT / "docs" / "pictures"
KPI = "first_response_off_hours_mean.html"  # the demo's night shift, trained in one month
sys.path.insert(0, str(ROOT / "tests"))

import chromium  # noqa: E402
from published import newest  # noqa: E402


def mail_page(file: Path) -> str:
    """The HTML of a mail with its charts put in."""
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    body = mail.get_body(("html",))
    page = body.get_content() if body else ""
    for part in mail.walk():
        name = str(part.get("Content-ID", "")).strip("<>")
        if name:
            data = base64.b64encode(part.get_content()).decode()
            page = page.replace(f"cid:{name}", f"data:image/png;base64,{data}")
    return page


def picture(
    browser: Browser, page_or_url: str, name: str, size: tuple[int, int], **how: str
) -> None:
    """One screenshot at 1.5×."""
    width, height = size
    view = {"width": width, "height": height}
    page = browser.new_page(viewport=view, device_scale_factor=1.5, **how)  # type: ignore[arg-type]
    if page_or_url.startswith("file:"):
        page.goto(page_or_url)
    else:
        page.set_content(page_or_url)
    keep(page, name)


def keep(page: Page, name: str) -> None:
    """What the page shows, in few colours."""
    page.evaluate("document.fonts.ready")
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(128).save(PICTURES / f"{name}.png", optimize=True)
    page.close()


def asked(browser: Browser) -> None:
    """The page to ask on, with an answer: the database is brought first if it is not there."""
    muster = [sys.executable, "-m", "muster", "-C", str(DEMO)]
    if not (DEMO / "site" / addresses.ENGINE_FACTS).exists():
        subprocess.run([*muster, "site", "ask"], check=True)
    running = server(str(DEMO / "site"), 0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    view = {"width": 1280, "height": 800}
    page = browser.new_page(viewport=view, device_scale_factor=1.5)  # type: ignore[arg-type]
    page.goto(f"http://127.0.0.1:{running.server_address[1]}/index.html#ask.html")
    page.get_by_role("button", name="Run").click()
    page.locator("#taken").wait_for(timeout=120_000)
    keep(page, "ask")
    running.shutdown()


def main() -> int:
    mails = sorted((DEMO / "outbox").glob("**/*.eml"))
    index = DEMO / "site" / "index.html"
    if not mails or not index.exists():
        print("there is no demo to take pictures of: run make demo first", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=list(chromium.ARGUMENTS)
        )
        picture(browser, mail_page(mails[-1]), "mail", (720, 1500))
        picture(browser, mail_page(mails[-1]), "mail-phone", (375, 900))
        picture(browser, index.as_uri(), "site", (1280, 1500))
        kpi = newest(index.parent) / "kpi" / KPI
        picture(browser, kpi.as_uri(), "kpi", (1280, 860))
        picture(browser, index.as_uri(), "site-dark", (1280, 900), color_scheme="dark")
        asked(browser)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
