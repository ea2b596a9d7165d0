"""A browser driven over the WebDriver protocol (w3.org/TR/webdriver2), with the standard library alone."""
import base64
import json
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004", "ArrowLeft": "\ue012", "ArrowUp": "\ue013",
        "ArrowRight": "\ue014", "ArrowDown": "\ue015", "End": "\ue010", "Home": "\ue011", "Control": "\ue009"}


class Failed(Exception):
    """What was waited for did not come, or the browser refused a command."""


class Driver:
    """chromedriver on a free port; ends with the block."""

    def __init__(self, chromedriver="chromedriver"):
        self.process = subprocess.Popen([chromedriver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if "started successfully on port" in line:
                self.url = "http://127.0.0.1:" + line.rsplit("port", 1)[1].strip(" .\n")
                return
        raise Failed("chromedriver does not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    def send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as failure:
            raise Failed(json.load(failure)["value"]["message"].splitlines()[0]) from None


class Browser:
    """One window of headless Chromium."""

    def __init__(self, driver, width=1280, height=860, arguments=()):
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                            "--hide-scrollbars", f"--window-size={width},{height}", *arguments]}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options,
                                                   "goog:loggingPrefs": {"browser": "ALL"}}}}
        self.driver = driver
        self.path = "/session/" + driver.send("POST", "/session", wanted)["sessionId"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.driver.send("DELETE", self.path)

    def post(self, path, **body):
        return self.driver.send("POST", self.path + path, body)

    def get(self, path):
        return self.driver.send("GET", self.path + path)

    def chrome(self, command, **parameters):
        return self.post("/goog/cdp/execute", cmd=command, params=parameters)

    def open(self, url):
        self.post("/url", url=url)

    def back(self):
        self.post("/back", **{})

    def forward(self):
        self.post("/forward", **{})

    def run(self, script, *arguments):
        """The value of a function body in the page."""
        return self.post("/execute/sync", script=script, args=list(arguments))

    def wait(self, what, script, *arguments, seconds=15):
        """Until the expression is true; returns it. `what` names it in the failure."""
        end = time.monotonic() + seconds
        while True:
            value = self.run(f"return ({script})", *arguments)
            if value:
                return value
            if time.monotonic() > end:
                raise Failed(f"waited {seconds} s in vain for: {what} (at {self.run('return location.href')})")
            time.sleep(0.03)

    def element(self, selector):
        self.wait(selector, "document.querySelector(arguments[0])", selector)
        return self.post("/element", using="css selector", value=selector)[ELEMENT]

    def click(self, selector):
        self.post(f"/element/{self.element(selector)}/click", **{})

    def type(self, selector, text):
        self.post(f"/element/{self.element(selector)}/value", text=text)

    def press(self, *keys):
        """Keys as a person presses them, wherever the focus is."""
        actions = []
        for key in keys:
            value = KEYS.get(key, key)
            actions += [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        self.post("/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def chord(self, held, key):
        """A key pressed while another is held."""
        actions = [{"type": "keyDown", "value": KEYS[held]}, {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key},
                   {"type": "keyUp", "value": KEYS[held]}]
        self.post("/actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.get("/screenshot")))

    def complaints(self):
        """What the page wrote to the console as an error since the last call."""
        return [entry["message"] for entry in self.post("/se/log", type="browser") if entry["level"] == "SEVERE"]
