#!/usr/bin/env python3
"""Takes the pictures of docs/gallery.md; docs/gallery.sh calls it. usage: gallery.py IMGSIM WORK OUT"""
import base64
import fcntl
import html
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import termios

from webdriver import Browser, Driver

PHONE = (390, 800)
DESK = (1180, 760)


class Photographer:
    """Pictures of pages, as small JPEG files."""

    def __init__(self, browser, out):
        self.browser, self.out = browser, out

    def dress(self, size, dark):
        self.browser.chrome("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=size == PHONE)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.browser.chrome("Emulation.setEmulatedMedia", features=scheme)

    def take(self, name, quality=72):
        # Everything that is in sight is loaded, and has faded in.
        self.browser.wait("all pictures", "[...document.images].every(i => i.complete || i.loading === 'lazy')")
        self.browser.run("document.activeElement?.blur?.()")
        self.browser.post("/execute/async", script="setTimeout(arguments[0], 900)", args=[])
        shot = self.browser.chrome("Page.captureScreenshot", format="jpeg", quality=quality)
        (self.out / name).write_bytes(base64.b64decode(shot["data"]))

    def page(self, name, url, size=DESK, dark=False, ready=None, quality=72):
        self.dress(size, dark)
        self.browser.open("about:blank")
        self.browser.open(url)
        if ready is not None:
            self.browser.wait(ready, "document.getElementById('main')?.dataset.ready?.startsWith(arguments[0])", ready)
        self.take(name, quality)

    def picture(self, name, file, width, height=None):
        """A picture file, made `width` wide; its upper part where `height` is given."""
        self.dress((width, height or 100), False)
        self.browser.open("about:blank")
        self.browser.open(file.as_uri())
        self.browser.run("const i = document.querySelector('img, svg'); document.documentElement.style.background = '#fff';"
                         "if (document.body) document.body.style.cssText = 'margin:0;background:#fff;display:block;overflow:hidden';"
                         "i.style.cssText = 'display:block;width:100vw;height:auto;max-width:none;cursor:auto'")
        tall = self.browser.run("return Math.ceil(document.querySelector('img, svg').getBoundingClientRect().height)")
        self.dress((width, min(height or tall, tall)), False)
        self.take(name, 80)


def printed(arguments, folder, columns=92):
    """What a terminal that knows kitty's pictures is given."""
    child, master = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.environ.update(TERM="xterm-kitty", NO_COLOR="")
        os.execv(arguments[0], arguments)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    data = b""
    try:
        while block := os.read(master, 65536):
            data += block
    except OSError:  # the other end is closed
        pass
    os.waitpid(child, 0)
    return data.decode()


def terminal_page(lines):
    """Bytes for a terminal as a page: bold, colour, and pictures."""
    body = ""
    for typed, text in lines:
        body += f"<b>$ {html.escape(typed)}</b>\n"
        picture, shown = "", ""
        for piece in re.split(r"(\x1b_G[^\x1b]*\x1b\\)", text):
            if not piece.startswith("\x1b_G"):
                shown += re.sub(r"\x1b\[(\d*)m", lambda m: {"1": "<b>", "32": "<i>"}.get(m[1], "</b></i>"),
                                html.escape(piece.replace("\r", "")))
                continue
            keys, data = piece[3:-2].split(";", 1)
            picture += data
            if "m=0" in keys:
                shown += f"<img src='data:image/png;base64,{picture}'>"
                picture = ""
        body += shown + "\n"
    return ("<!DOCTYPE html><meta charset=utf-8><style>body{margin:0;background:#15161c;color:#d8dae3}"
            "pre{margin:18px 22px;font:14px/1.35 'DejaVu Sans Mono',monospace}b{color:#fff}i{color:#7bd88f}"
            "img{display:block;margin:6px 0}</style><pre>" + body + "</pre>")


def main():
    imgsim, work, out = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    out.mkdir(exist_ok=True)
    demo = work / "imgsim-demo"
    query = str(sorted((work / "imgsim-demo" / "photos").glob("fish/*.jpg"))[20].relative_to(work / "imgsim-demo"))
    lines = [("imgsim query --index photos.idx " + query + " -n 5 --thumbnails kitty",
              printed([imgsim, "query", "--index", "photos.idx", query, "-n", "5", "--thumbnails", "kitty", "--device", "cpu", "--quiet"], work))]
    terminal = work / "terminal.html"
    terminal.write_text(terminal_page(lines))
    subprocess.run([imgsim, "query", "--index", "photos.idx", query, "--grid", "grid.png", "--quiet", "--device", "cpu"],
                   cwd=work, check=True, stdout=subprocess.DEVNULL)

    server = subprocess.Popen([imgsim, "serve", "--index", "photos.idx", "--port", "0", "--quiet", "--device", "cpu",
                               "--thumbnails", str(work / "thumbnails")], cwd=work, stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().split()[-1]
        photo = "#/photo/" + query.removeprefix("photos/").replace("/", "%2F")
        with Driver() as driver, Browser(driver) as browser:
            camera = Photographer(browser, out)
            camera.picture("grid.jpg", work / "grid.png", 760)
            camera.picture("groups.jpg", demo / "groups.png", 900, 760)
            camera.picture("curve.jpg", demo / "choose_k.svg", 720)
            camera.page("terminal.jpg", terminal.as_uri(), (860, 590))
            camera.page("report_light.jpg", (demo / "index.html").as_uri())
            camera.page("report_dark.jpg", (demo / "index.html").as_uri(), dark=True)
            camera.page("page_photo.jpg", url + photo, ready="#/photo")
            camera.page("page_groups_dark.jpg", url + "#/groups", dark=True, ready="#/groups")
            camera.page("page_map.jpg", url + "#/map", ready="#/map")
            camera.page("page_phone.jpg", url + photo, PHONE, ready="#/photo")
            camera.page("page_phone_dark.jpg", url + "#/", PHONE, dark=True, ready="#/")
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()


if __name__ == "__main__":
    main()
