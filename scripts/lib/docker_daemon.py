"""A Docker daemon in namespaces of its own, as scripts/lib/docker.sh has it: nothing of it stays."""

import os
import shutil
import subprocess
import time

START = """ip link set lo up
exec dockerd --data-root "$0/root" --exec-root "$0/run" --pidfile "$0/pid" -H "unix://$0/docker.sock" --bip 10.210.0.1/24
"""

# Debian's client builds by BuildKit without a plug-in; a newer one beside it does not.
CLIENT = shutil.which("docker", path="/usr/bin") or shutil.which("docker")


class DockerDaemon:
    """Runs while the context lasts; `env` is what clients need."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {"DOCKER_HOST": f"unix://{folder}/docker.sock", "DOCKER_BUILDKIT": "1"}

    def __enter__(self):
        self.folder.mkdir()
        self.log = (self.folder / "log").open("w")
        command = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", START, self.folder]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        for _ in range(300):
            if self.client("version").returncode == 0:
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.__exit__()
        raise RuntimeError(f"no Docker daemon starts here: {(self.folder / 'log').read_text()[-1000:]}")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()

    def client(self, *arguments):
        """One command of the client; what it prints is kept."""
        return subprocess.run([CLIENT, *arguments], env={**os.environ, **self.env}, capture_output=True, check=False)

    def forget(self):
        """The daemon forgets all images, layers and builds."""
        for arguments in (["image", "prune", "--all", "--force"], ["builder", "prune", "--all", "--force"]):
            done = self.client(*arguments)
            if done.returncode != 0:
                raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.decode()}")
