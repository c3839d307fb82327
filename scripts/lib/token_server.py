"""A token server, as distribution's documentation has it: `python3 token_server.py FOLDER`, which has key.pem and
certificate.pem. Its address is in FOLDER/address, what it was asked in FOLDER/asked. It lets `user` with `secret` pull and
push, and everybody pull from `open/`. Tokens last for a minute.
"""

import base64
import http.server
import json
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

folder = Path(sys.argv[1])


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(claims):
    lines = (folder / "certificate.pem").read_text().split("-----")[2].split()
    header = {"typ": "JWT", "alg": "RS256", "x5c": ["".join(lines)]}
    text = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
    signature = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", folder / "key.pem"], input=text.encode(), capture_output=True, check=True
    ).stdout
    return f"{text}.{encoded(signature)}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        asked = urllib.parse.parse_qs(url.query)
        user = self.user()
        with (folder / "asked").open("a") as log:
            log.write(json.dumps({"user": user, **asked}) + "\n")
        if user is False:
            self.send_response(401)
            self.end_headers()
            return
        access = []
        for scope in " ".join(asked.get("scope", [])).split():
            kind, name, actions = scope.split(":")
            allowed = ["pull", "push"] if user else ["pull"] if name.startswith("open/") else []
            access.append({"type": kind, "name": name, "actions": [action for action in actions.split(",") if action in allowed]})
        now = int(time.time())
        claims = {"iss": "token.example", "sub": user or "", "aud": asked.get("service", [""])[0], "access": access}
        claims |= {"exp": now + 60, "nbf": now - 5, "iat": now, "jti": str(time.time_ns())}
        body = json.dumps({"token": signed(claims), "expires_in": 60}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        """OAuth2 is not spoken here: clients fall back to GET."""
        self.send_response(404)
        self.end_headers()

    def user(self):
        """Who asks: nobody is None, and False is who does not know the password."""
        given = self.headers.get("Authorization", "")
        if not given:
            return None
        return "user" if given == "Basic " + base64.b64encode(b"user:secret").decode() else False

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
(folder / "address.new").write_text(f"127.0.0.1:{server.server_address[1]}")
(folder / "address.new").rename(folder / "address")
server.serve_forever()
