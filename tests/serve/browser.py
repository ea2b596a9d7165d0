#!/usr/bin/env python3
"""The pages of imgsim serve as a person uses them, in headless Chromium. usage: browser.py IMGSIM [--shots DIR]

Exit code 0 passed, 1 failed, 77 skipped (no chromedriver; Debian: chromium-driver)."""
import base64
import contextlib
import json
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import zlib

from webdriver import Browser, Driver, Failed

EVIL = "<img src=x onerror=alert(1)>" + "W" * 200 + ".png"  # as long as a name may be, and nowhere to break it
COLOURS = {"red": (200, 60, 40), "green": (40, 160, 60), "blue": (50, 70, 200)}
EACH = 40  # photos of a colour: more than a window shows
ARCHITECTURE = {
    "name": "tiny", "input": [32, 32, 3],
    "encoder": [{"type": "convolution", "filters": 8, "kernel": [3, 3], "stride": [2, 2]}, {"type": "relu"},
                {"type": "convolution", "filters": 8, "kernel": [3, 3], "stride": [2, 2]}, {"type": "relu"}],
    "decoder": [{"type": "upsampling", "factor": 4, "interpolation": "nearest"},
                {"type": "convolution", "filters": 3, "kernel": [3, 3]}, {"type": "sigmoid"}],
    "loss": "mean_squared_error", "training": {"epochs": 1, "batch": 16, "learning_rate": 0.01},
    "embedding": {"taps": [{"layer": "code", "pool": "mean", "grid": 2}], "centre": True, "whiten": 8,
                  "shrinkage": 0.1, "normalise": True}}


def png(colour, seed, side=64):
    """A square of noise in a colour, with a disc of the opposite one."""
    chance = random.Random(seed)
    x0, y0, radius = chance.uniform(16, 48), chance.uniform(16, 48), chance.uniform(7, 14)
    rows = bytearray()
    for y in range(side):
        rows.append(0)
        for x in range(side):
            inside = (x - x0) ** 2 + (y - y0) ** 2 < radius ** 2
            rows += bytes(max(0, min(255, (255 - c if inside else c) + chance.randint(-20, 20))) for c in colour)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))


class Collection:
    """Photos, a model and an index with groups, in a folder of its own."""

    def __init__(self, imgsim, folder):
        self.imgsim, self.folder = imgsim, pathlib.Path(folder)
        self.photos, self.index = self.folder / "photos", self.folder / "photos.idx"
        for name, colour in COLOURS.items():
            (self.photos / name).mkdir(parents=True)
            for i in range(EACH):
                (self.photos / name / f"{i:02}.png").write_bytes(png(colour, f"{name}{i}"))
        (self.photos / EVIL).write_bytes(png(COLOURS["blue"], "evil"))
        shutil.copy(self.photos / "red/05.png", self.photos / "red/copy.png")
        self.new_photo = self.folder / "new.png"
        shutil.copy(self.photos / "green/09.png", self.new_photo)
        (self.folder / "tiny.json").write_text(json.dumps(ARCHITECTURE))
        self.run("train", "--images", self.photos, "--model", self.folder / "tiny.safetensors", "--preset", self.folder / "tiny.json")
        self.update()
        self.run("cluster", "--index", self.index, "-k", "3", "--out", self.folder / "groups")

    def run(self, *arguments):
        subprocess.run([self.imgsim, *map(str, arguments), "--quiet", "--device", "cpu"], check=True, stdout=subprocess.DEVNULL)

    def update(self):
        self.run("index", "--images", self.photos, "--model", self.folder / "tiny.safetensors", "--index", self.index)

    @contextlib.contextmanager
    def served(self):
        server = subprocess.Popen([self.imgsim, "serve", "--index", str(self.index), "--port", "0", "--quiet", "--device", "cpu",
                                   "--thumbnails", str(self.folder / "thumbnails")], stdout=subprocess.PIPE, text=True)
        try:
            yield server, server.stdout.readline().split()[-1]
        finally:
            server.terminate()
            server.wait(20)
            server.stdout.close()


class Person:
    """What a person does and sees."""

    def __init__(self, browser, url, shots):
        self.browser, self.url, self.shots = browser, url, shots

    def go(self, hash_):
        """By a link from elsewhere: a page loaded anew."""
        self.browser.open("about:blank")
        self.browser.open(self.url + hash_)
        self.arrived(hash_)

    def arrived(self, hash_):
        self.browser.wait(f"the page {hash_}", "document.getElementById('main')?.dataset.ready?.startsWith(arguments[0])", hash_)

    def sees(self, text, selector="body"):
        self.browser.wait(f"the text {text!r}", "document.querySelector(arguments[1])?.innerText.includes(arguments[0])", text, selector)

    def counts(self, selector, expected):
        self.browser.wait(f"{expected} of {selector}", "document.querySelectorAll(arguments[0]).length === arguments[1]", selector, expected)

    def lists(self, expected):
        """Photos of a grid, most of them out of sight."""
        self.browser.wait(f"a list of {expected} photos", "document.querySelector('.grid li')?.getAttribute('aria-setsize') === String(arguments[0])", expected)

    def focused(self):
        return self.browser.run("return document.activeElement.closest('[data-row]')?.dataset.row ?? document.activeElement.id")

    def look(self, name):
        if self.shots:
            time.sleep(0.3)  # pictures fade in
            self.browser.screenshot(os.path.join(self.shots, name + ".png"))


def expect(condition, what):
    if not condition:
        raise Failed(what)


def browsing(person, collection):
    browser = person.browser
    total = 3 * EACH + 2
    person.go("#/")
    person.sees(f"{total} photos")
    made = browser.run("return document.querySelectorAll('.grid li').length")
    expect(0 < made < total, f"{made} of {total} photos are elements; those out of sight need none")
    browser.run("scrollTo(0, 400)")
    row = browser.run("return [...document.querySelectorAll('.tile')].find((one) => one.getBoundingClientRect().top > 120).dataset.row")
    browser.click(f".tile[data-row='{row}']")
    person.arrived("#/photo/")
    person.lists(24)
    person.look("photo")
    browser.back()
    person.arrived("#/")
    expect(abs(browser.run("return scrollY") - 400) < 120, "the back button leads to another place of the list")
    expect(person.focused() == row, "the back button loses the photo that was looked at")
    browser.forward()
    person.arrived("#/photo/")


def keyboard(person, collection):
    browser = person.browser
    person.go("#/")
    browser.press("/")
    expect(person.focused() != "filter", "a character alone does something")
    browser.chord("Control", "k")
    expect(person.focused() == "filter", "Control K does not lead to the filter")
    browser.press("Enter")
    expect(person.focused() == "0", "Enter in the filter does not lead to the photos")
    browser.press("ArrowRight", "ArrowRight")
    expect(person.focused() == "2", "the right arrow does not lead to the next photo")
    columns = browser.run("return [...document.querySelectorAll('.grid li')].filter((one) => one.getBoundingClientRect().top === document.querySelector('.grid li').getBoundingClientRect().top).length")
    browser.press("ArrowDown")
    expect(person.focused() == str(2 + columns), "the down arrow does not lead to the row below")
    browser.press("End")
    expect(person.focused() == str(3 * EACH + 1), "End does not lead to the last photo")
    expect(browser.run("const box = document.activeElement.getBoundingClientRect(); return box.bottom <= innerHeight && box.top >= 0"), "the focused photo is out of sight")
    outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    expect(outline == "solid", "the focus cannot be seen")
    browser.press("Enter")
    person.arrived("#/photo/")
    browser.press("Escape")
    person.arrived("#/")


def filtering(person, collection):
    browser = person.browser
    person.go("#/")
    browser.type("#filter", "RED 0")
    person.sees(f"13 of {3 * EACH + 2} photos")  # 00 to 09, 10, 20, 30
    browser.wait("the filter in the address", "location.hash.includes('name=RED')")
    person.go(browser.run("return location.hash"))
    person.sees(f"13 of {3 * EACH + 2} photos")
    browser.press("/")
    browser.press("Escape")
    person.sees(f"{3 * EACH + 2} photos")
    browser.type("#filter", "no such name")
    person.sees("No photo has a name like this")


def settings(person, collection):
    browser = person.browser
    person.go("#/photo/red%2F05.png")
    browser.run("document.getElementById('matches').focus()")
    browser.press("Home")
    person.lists(1)
    expect(browser.run("return document.querySelector('.grid a').hash") == "#/photo/red%2Fcopy.png?n=1", "the nearest photo is not its copy")
    browser.press("ArrowRight", "ArrowRight")
    person.lists(3)
    browser.type("#metric", "euclidean")
    browser.wait("the metric in the address", "location.hash.includes('n=3') && location.hash.includes('metric=euclidean')")
    browser.wait("distances", "document.querySelector('.score')?.textContent.startsWith('0.000')")
    expect(browser.run("return document.getElementById('score').parentElement.hidden"), "probabilities are offered for a metric without any")
    person.go(browser.run("return location.hash"))
    person.lists(3)
    expect(browser.run("return document.getElementById('metric').value") == "euclidean", "a copied link loses the metric")
    browser.click(".grid a")
    person.arrived("#/photo/red%2Fcopy.png")
    expect("n=3" in browser.run("return location.hash"), "the next photo loses what was set")
    person.lists(3)
    browser.type("#metric", "cosine")
    browser.type("#score", "probability")
    browser.wait("probabilities", "[...document.querySelectorAll('.score')].every((one) => one.textContent.endsWith('%')) && document.querySelector('.score')")
    browser.wait("the question of the prior", "!document.getElementById('prior').parentElement.hidden")
    most = 3 * EACH + 1  # what the slider allows
    for given, shown in (("100000", most), ("0", 24), ("3x", 24), ("-5", 24)):
        person.go(f"#/photo/red%2F05.png?n={given}")
        person.lists(shown)
        value = browser.run("return document.querySelector('output').textContent")
        expect(value == (f"{most}, the most" if shown == most else str(shown)), f"n={given} is told as {value}")
    for given in ("1e-12", "1", "-1", "x", ""):
        person.go(f"#/photo/red%2F05.png?score=probability&prior={given}")
        person.lists(24)
        expect(browser.run("return document.getElementById('prior').value") == "0.5", f"prior={given} is taken")


def drop(browser, kind, name, mime, data):
    """What the system does when a file is dropped on, or pasted into, a page."""
    browser.run("""
      const bytes = Uint8Array.from(atob(arguments[3]), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], arguments[1], {type: arguments[2]}));
      if (arguments[0] === 'paste') return document.body.dispatchEvent(new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true}));
      for (const type of ['dragenter', 'dragover', 'drop'])
        document.body.dispatchEvent(new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
      """, kind, name, mime, base64.b64encode(data).decode())


def nearest_is(person, path):
    person.browser.wait(f"{path} as the nearest", "decodeURIComponent(document.querySelector('.grid a')?.hash ?? '') === '#/photo/' + arguments[0]", path)


def searching(person, collection):
    browser = person.browser
    person.go("#/")
    browser.run("document.getElementById('photo-file').hidden = false")  # chromedriver types into what is seen only
    browser.type("#photo-file", str(collection.new_photo))
    person.arrived("#/search")
    nearest_is(person, "green/09.png")
    person.sees("new.png", "aside")
    person.sees("Group", "aside")
    browser.click(".grid a")
    person.arrived("#/photo/")
    browser.back()
    person.arrived("#/search")
    nearest_is(person, "green/09.png")
    drop(browser, "drop", "dropped.png", "image/png", (collection.photos / "red/11.png").read_bytes())
    person.sees("dropped.png", "aside")
    nearest_is(person, "red/11.png")
    expect(browser.run("return document.getElementById('drop-target').hidden"), "the field to drop on stays")
    drop(browser, "paste", "pasted.png", "image/png", (collection.photos / "blue/12.png").read_bytes())
    person.sees("pasted.png", "aside")
    nearest_is(person, "blue/12.png")
    drop(browser, "drop", "broken.png", "image/png", b"no picture at all")
    person.sees("no JPEG, PNG or WebP", ".fault")
    browser.complaints()  # the refusal is one


def grouped(person, collection):
    browser = person.browser
    person.go("#/groups")
    person.sees("3 groups")
    person.counts(".card", 3)
    browser.click(".card[data-group='1']")
    person.arrived("#/groups/1")
    person.sees("Group 1", "h1")
    for rest in ("1.5", "3", "-1", "x", "1e0"):
        person.go(f"#/groups/{rest}")
        person.sees("No such group", "h1")
    person.go("#/groups/1")
    browser.press("Escape")
    person.arrived("#/groups")
    browser.click("section.panel button")
    browser.wait("the curve", "document.querySelector('.curve')", seconds=60)
    browser.run("document.getElementById('k').focus()")
    browser.press("Home")
    person.sees("2 groups: error")
    person.counts(".panel .strip li", 2)
    browser.press("ArrowRight")
    person.counts(".panel .strip li", 3)
    person.browser.wait("names in commands to be quoted", "import('/dom.js').then((dom) => dom.shellWord(arguments[0]) === arguments[1])", "it's", "'it'\\''s'")


def mapped(person, collection):
    browser = person.browser
    person.go("#/map")
    browser.wait("the map", "document.querySelector('.map canvas')", seconds=60)
    browser.wait("dots", """(() => { const c = document.querySelector('.map canvas');
      return c.width && c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0); })()""")
    browser.run("document.querySelector('.map canvas').focus()")
    browser.press("ArrowRight", "ArrowRight")
    browser.wait("a photo beside the map's dot", "!document.querySelector('.peek').hidden")
    browser.press("+", "+")
    browser.wait("the view in the address", "location.hash.includes('zoom=')")
    browser.press("Enter")
    person.arrived("#/photo/")
    browser.back()
    person.arrived("#/map")
    browser.wait("the map", "document.querySelector('.legend button')")
    for hash_ in ("#/map?x=-3&y=7&zoom=1e9", "#/map?zoom=0", "#/map?zoom=x&x="):
        person.go(hash_)
        browser.wait("the map", "document.querySelector('.legend button')")
        browser.run("document.querySelector('.map canvas').focus()")
        browser.press("-")
        browser.wait("the view in the address", "location.hash.includes('zoom=0.70')")
    browser.click(".legend button")
    expect(browser.run("return document.querySelector('.legend button').getAttribute('aria-pressed')") == "true", "a group cannot be singled out")


def duplicated(person, collection):
    person.go("#/duplicates")
    person.browser.click("main button")
    person.browser.wait("duplicates", "document.querySelector('.pair-group')", seconds=60)
    person.sees("same file")
    names = person.browser.run("return [...document.querySelectorAll('.pair-group a')].map((one) => decodeURIComponent(one.hash)).join()")
    expect("red/05.png" in names and "red/copy.png" in names, f"the copy is not found: {names}")
    person.browser.chrome("Emulation.setDeviceMetricsOverride", width=390, height=700, deviceScaleFactor=2, mobile=True)
    shown = person.browser.run("""return [...document.querySelectorAll('.pair-group .tile')].map((tile) => tile.innerText + tile.title).join()""")
    for part in ("05.png\nred\nsame file", "red/copy.png"):
        expect(part in shown, f"{part!r} is not shown below its photo on a phone: {shown!r}")
    person.browser.chrome("Emulation.clearDeviceMetricsOverride")


def hostile_names(person, collection):
    browser = person.browser
    person.go("#/?name=onerror")
    person.sees("1 of ")
    browser.click(".grid a")
    person.arrived("#/photo/")
    person.sees(EVIL, "h1")
    expect(browser.run("return document.querySelectorAll('img[src=x]').length") == 0, "a name became markup")
    person.go("#/photo/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    person.sees("No such photo")
    person.go("#/photo/%E0%A4%A")  # cut
    person.sees("No such photo")
    person.go("#/nowhere")
    person.sees("There is no such page")


def colour_of(browser, selector, property_):
    text = browser.run("return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]", selector, property_)
    return [int(part) for part in text[text.index("(") + 1:-1].split(",")[:3]]


def contrast(one, other):
    """WCAG 2.1, relative luminance."""
    def luminance(colour):
        linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@contextlib.contextmanager
def cut_off(browser, *parts):
    """Addresses with one of these parts are not reached."""
    browser.chrome("Network.enable")
    browser.chrome("Network.setBlockedURLs", urls=[f"*{part}*" for part in parts])
    yield
    browser.chrome("Network.setBlockedURLs", urls=[])


def away_for_a_while(person, collection):
    """What could not be had is asked for again; nobody clicks."""
    browser = person.browser
    with cut_off(browser, "api/"):
        browser.open("about:blank")
        browser.open(person.url)
        person.sees("The collection cannot be opened")
    person.sees(f"{3 * EACH + 2} photos")
    with cut_off(browser, "/thumbnail/"):
        person.go("#/photo/red%2F05.png")
        browser.wait("pictures that are told to be missing", "document.querySelector('.grid .missing[aria-label$=\"cannot be shown\"]')")
    browser.wait("the pictures", "document.querySelector('.grid img') && !document.querySelector('.grid .missing')", seconds=30)
    told = browser.run("return import('/collection.js').then((one) => one.fetched('style.css')).catch((failure) => failure.message)")
    expect("not of imgsim" in told, f"an answer that is no JSON is told as {told}")
    browser.complaints()  # of what was cut off


def dropped_text(person, collection):
    """Text that is dragged is none of the page's business."""
    person.go("#/")
    taken = person.browser.run("""
      const transfer = new DataTransfer();
      transfer.setData('text/plain', 'red');
      return ['dragenter', 'dragover', 'drop'].filter((type) => !document.getElementById('filter').dispatchEvent(
        new DragEvent(type, {dataTransfer: transfer, bubbles: true, cancelable: true})));""")
    expect(not taken, f"text cannot be dropped into the filter: {taken}")
    expect(person.browser.run("return document.getElementById('drop-target').hidden"), "text is taken for a photo")


def light_and_dark(person, collection):
    browser = person.browser
    for scheme in ("light", "dark"):
        browser.chrome("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        person.go("#/photo/red%2F05.png")
        ground, bar = colour_of(browser, "body", "backgroundColor"), colour_of(browser, ".bar", "backgroundColor")
        expect((sum(ground) > 384) == (scheme == "light"), f"the ground is {ground} where {scheme} is wanted")
        for selector, behind in ((".facts dt", ground), (".facts a", ground), ("label", ground), ("h1", ground), (".bar nav a", bar)):
            ratio = contrast(colour_of(browser, selector, "color"), behind)
            expect(ratio >= 4.5, f"{selector} has contrast {ratio:.2f} in {scheme}")
        ratio = contrast(colour_of(browser, "#choose-photo", "color"), colour_of(browser, "#choose-photo", "backgroundColor"))
        expect(ratio >= 4.5, f"the button has contrast {ratio:.2f} in {scheme}")
        person.look(scheme)
    browser.chrome("Emulation.setEmulatedMedia", features=[])


def phone(person, collection):
    browser = person.browser
    for width in (320, 390) if person.shots else (320,):
        browser.chrome("Emulation.setDeviceMetricsOverride", width=width, height=700, deviceScaleFactor=2, mobile=True)
        for hash_ in ("#/", "#/photo/red%2F05.png?score=probability", "#/photo/" + urllib.parse.quote(EVIL), "#/groups", "#/groups/0", "#/map", "#/duplicates", "#/search"):
            person.go(hash_)
            wide = browser.run("return document.documentElement.scrollWidth")
            expect(wide <= width, f"{hash_} is {wide} wide on a phone of {width}")
            small = browser.run("""return [...document.querySelectorAll('a, button, select, input')].filter((one) => {
              const box = one.getBoundingClientRect();
              return box.width && getComputedStyle(one).position !== 'absolute' && !one.closest('dd, p, .what') && (box.height < 28 || box.width < 28);
            }).map((one) => one.outerHTML.slice(0, 80))""")
            expect(not small, f"{hash_}: too small for a finger: {small}")
            if hash_.startswith("#/photo/red"):
                names = browser.run("return [...document.querySelectorAll('.grid .label')].map((one) => one.innerText)")
                expect("copy.png" in names, f"the nearest have no names on a phone: {names}")
            person.look(f"phone{width}-{hash_.strip('#/?').split('/')[0].split('?')[0] or 'photos'}")
    browser.chrome("Emulation.clearDeviceMetricsOverride")


def spoken(person, collection):
    """What a screen reader has to say of each page."""
    for hash_ in ("#/", "#/photo/red%2F05.png", "#/groups", "#/groups/0", "#/map", "#/duplicates", "#/search", "#/nowhere"):
        person.go(hash_)
        faults = person.browser.run("""
          const faults = [], say = (text) => faults.push(text);
          if (document.querySelectorAll('h1').length !== 1) say('not one h1');
          for (const name of ['main', 'nav', 'header']) if (!document.querySelector(name)) say('no ' + name);
          for (const image of document.images) if (!image.hasAttribute('alt')) say('no alt: ' + image.src);
          for (const one of document.querySelectorAll('button, a, select, input, canvas')) {
            if (one.closest('[hidden]')) continue;
            const label = one.labels?.length ? one.labels[0].textContent : '';
            const image = one.querySelector?.('img[alt]')?.alt;
            if (!(one.getAttribute('aria-label') || label || one.textContent.trim() || image)) say('no name: ' + one.outerHTML.slice(0, 90));
          }
          const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
          if (new Set(ids).size !== ids.length) say('an id twice');
          if (!document.title.endsWith('· imgsim')) say('title ' + document.title);
          return faults;""")
        expect(not faults, f"{hash_}: {faults}")
    person.go("#/")
    person.browser.press("Tab")
    expect(person.focused() == "skip", "the first Tab does not lead to the link past the bar")


def damaged(person, collection):
    (collection.photos / "red/07.png").write_bytes(b"\x89PNG\r\n\x1a\n and nothing else")
    person.go("#/photo/red%2F07.png")
    person.sees("has changed since it was indexed", "aside")
    person.lists(24)
    person.browser.complaints()  # the answer 404 is one


def replaced(person, collection):
    """The page follows the index; nobody clicks."""
    browser = person.browser
    person.go("#/?name=red")
    browser.run("document.getElementById('filter').focus()")
    (collection.photos / "red/a new photo.png").write_bytes(png(COLOURS["red"], "added"))
    collection.update()
    person.sees(f"{EACH + 2} of {3 * EACH + 3} photos")
    expect(person.focused() == "filter", "who types is thrown out of the field when the index changes")
    browser.wait("the change to be said", "document.getElementById('spoken').textContent.includes('new version')")
    person.go("#/groups")
    person.sees("No groups yet")  # those of before are of other photos
    collection.run("cluster", "--index", collection.index, "-k", "3", "--out", collection.folder / "groups again")
    person.sees("3 groups")
    person.counts(".card", 3)
    manifest = collection.index / "manifest.json"
    sound = manifest.read_bytes()
    for content, banners in ((b"{}", 1), (sound, 0)):
        (collection.folder / "manifest").write_bytes(content)
        os.replace(collection.folder / "manifest", manifest)
        person.counts("#notices p", banners)
    browser.complaints()  # a picture of the version of before, refused


STEPS = [browsing, keyboard, filtering, settings, searching, grouped, mapped, duplicated, hostile_names, away_for_a_while, dropped_text, light_and_dark, phone, spoken, replaced,
         damaged]


def main():
    imgsim = sys.argv[1]
    shots = sys.argv[sys.argv.index("--shots") + 1] if "--shots" in sys.argv else None
    if shutil.which("chromedriver") is None:
        print("SKIPPED serve_browser: there is no chromedriver (Debian: apt-get install chromium-driver)")
        return 77
    with tempfile.TemporaryDirectory(prefix="imgsim-browser-") as folder:
        collection = Collection(imgsim, folder)
        with collection.served() as (server, url), Driver() as driver, Browser(driver) as browser:
            person = Person(browser, url, shots)
            for step in STEPS:
                begin = time.monotonic()
                try:
                    step(person, collection)
                    complaints = browser.complaints()
                    expect(not complaints or step is hostile_names, f"the page complains: {complaints}")
                except Failed as failure:
                    person.look("failed")
                    print(f"FAILED {step.__name__}: {failure}")
                    return 1
                print(f"{step.__name__}: passed in {time.monotonic() - begin:.1f} s", flush=True)
            server.terminate()
            server.wait(20)
            person.sees("no longer answers", "#notices")
            browser.run("location.hash = '#/photo/red%2F06.png'")
            person.sees("no longer answers", "main")
    return 0


if __name__ == "__main__":
    sys.exit(main())
