"""A registry of this machine, distribution 2.8 or 3, whose requests are counted: by its own access log."""

import os
import re
import shutil
import subprocess
import time

CONFIG = """version: 0.1
storage: {{filesystem: {{rootdirectory: {data}}}, delete: {{enabled: true}}}}
http: {{addr: "127.0.0.1:0", secret: of-no-use}}
"""

REQUEST = re.compile(r'"[A-Z]+ /v2/')


class RegistryServer:
    """Runs while the context lasts; `at` is its HOST:PORT."""

    def __init__(self, folder, program="docker-registry"):
        self.folder, self.program = folder, program

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "config.yml"
        config.write_text(CONFIG.format(data=self.folder / "data"))
        with (self.folder / "requests").open("w") as requests, (self.folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [self.program, "serve", config],
                env={**os.environ, "OTEL_TRACES_EXPORTER": "none"},
                stdin=subprocess.DEVNULL,
                stdout=requests,
                stderr=log,
            )
        for _ in range(500):
            found = re.search(r"listening on 127\.0\.0\.1:([0-9]+)", (self.folder / "log").read_text())
            if found:
                self.at = f"127.0.0.1:{found[1]}"
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        self.__exit__()
        raise RuntimeError(f"{self.program} does not start: {(self.folder / 'log').read_text()[-1000:]}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def requests(self):
        """So many were answered so far."""
        return len(REQUEST.findall((self.folder / "requests").read_text()))

    def forget(self):
        """What it keeps goes, while it runs on: distribution has no memory of it beyond its files."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)


class FarProxy:
    """far_proxy.py before a server, while the context lasts."""

    def __init__(self, folder, server, *flags):
        self.folder, self.command = folder, [folder, server, *flags]

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        script = os.path.join(os.path.dirname(__file__), "far_proxy.py")
        self.process = subprocess.Popen(["python3", script, *map(str, self.command)], stdin=subprocess.DEVNULL)
        address = self.folder / "address"
        for _ in range(500):
            if address.exists() and address.read_text():
                self.at = address.read_text()
                return self
            time.sleep(0.02)
        self.__exit__()
        raise RuntimeError("far_proxy.py does not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
