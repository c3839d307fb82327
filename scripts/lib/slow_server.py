"""A web server on loopback that answers each request after some time, as one that is far away."""

import http.server
import threading
import time


class SlowServer:
    def __init__(self, files, latency):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                time.sleep(latency)
                file = files.get(self.path.lstrip("/"))
                if file is None:
                    self.send_error(404)
                    return
                size = file.stat().st_size
                begin = self.begin(size)
                self.send_response(206 if begin else 200)
                if begin:
                    self.send_header("Content-Range", f"bytes {begin}-{size - 1}/{size}")
                self.send_header("Content-Length", str(size - begin))
                self.end_headers()
                with file.open("rb") as content:
                    self.connection.sendfile(content, begin)

            def begin(self, size):
                """The offset of a request that goes on: `Range: bytes=N-`."""
                text = self.headers.get("Range", "").removeprefix("bytes=").rstrip("-")
                return int(text) if text.isdigit() and int(text) < size else 0

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """Clients that are killed break their connections off."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
