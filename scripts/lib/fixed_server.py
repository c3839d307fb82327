"""A registry of one answer: whatever is asked for is that file, of that media type. `python3 fixed_server.py PORT-FILE TYPE FILE`."""

import hashlib
import http.server
import sys
from pathlib import Path

port_file, media_type, body = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_bytes()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(body).hexdigest()}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
beside = port_file.with_suffix(".new")
beside.write_text(str(server.server_address[1]))
beside.rename(port_file)
server.serve_forever()
