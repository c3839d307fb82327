"""A line to a server that is far away: `python3 far_proxy.py FOLDER HOST:PORT [--mbit N] [--delay MS] [--cut N,N...]`.

Its address is in FOLDER/address once it listens. FOLDER/bytes has what has gone through so far, as JSON. After each offset of
--cut, counted in bytes towards the server, and of --cut-down, in bytes from it, the connection that brought that byte is broken
off.
"""

import argparse
import asyncio
import json
import socket
import struct
import time
from pathlib import Path

PIECE = 64 << 10
# Pieces that are on their way: more than the line holds in its delay.
WAITING = 16


class Direction:
    """One way of the line, which all connections share."""

    def __init__(self, rate, cuts):
        self.rate, self.free, self.bytes = rate, 0.0, 0
        self.cuts, self.cut = sorted(cuts), 0

    def is_cut(self, size):
        """Whether the line breaks within these bytes."""
        if self.cut == len(self.cuts) or self.bytes + size <= self.cuts[self.cut]:
            return False
        self.bytes += size
        self.cut += 1
        return True

    async def pass_through(self, size):
        """Waits until the line has taken a piece."""
        self.bytes += size
        if self.rate:
            now = time.monotonic()
            self.free = max(self.free, now) + size / self.rate
            if self.free > now:
                await asyncio.sleep(self.free - now)


class Line:
    def __init__(self, folder, host, port, flags):
        self.folder, self.host, self.port = folder, host, port
        rate = flags.mbit * 1e6 / 8 if flags.mbit else None
        self.up, self.down = Direction(rate, flags.cut), Direction(rate, flags.cut_down)
        self.delay, self.connections = flags.delay / 2000, 0

    def tell(self):
        beside = self.folder / "bytes.new"
        told = {"up": self.up.bytes, "down": self.down.bytes, "cut": self.up.cut + self.down.cut, "connections": self.connections}
        beside.write_text(json.dumps(told))
        beside.rename(self.folder / "bytes")

    async def serve(self, reader, writer):
        self.connections += 1
        await asyncio.sleep(2 * self.delay)
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.transport.abort()
            return
        ends = [writer, far_writer]
        ways = [self.way(reader, far_writer, self.up, ends), self.way(far_reader, writer, self.down, ends)]
        await asyncio.gather(*ways, return_exceptions=True)
        for end in ends:
            end.close()

    async def way(self, reader, writer, direction, ends):
        queue = asyncio.Queue(WAITING)
        later = asyncio.create_task(self.deliver(queue, writer, ends))
        try:
            while piece := await reader.read(PIECE):
                if direction.is_cut(len(piece)):
                    break_off(ends)
                    return
                await direction.pass_through(len(piece))
                await queue.put((time.monotonic() + self.delay, piece))
            await queue.put((time.monotonic() + self.delay, None))
            await later
        except OSError:
            break_off(ends)
        finally:
            later.cancel()

    async def deliver(self, queue, writer, ends):
        try:
            while True:
                due, piece = await queue.get()
                if (wait := due - time.monotonic()) > 0:
                    await asyncio.sleep(wait)
                if piece is None:
                    writer.write_eof()
                    return
                writer.write(piece)
                await writer.drain()
        except OSError:
            break_off(ends)


def break_off(ends):
    """By a reset, as a line that is cut does it."""
    for end in ends:
        connection = end.get_extra_info("socket")
        if connection is not None:
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass
        end.transport.abort()


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("server")
    parser.add_argument("--mbit", type=float, default=0, help="of each direction; 0 for no limit")
    parser.add_argument("--delay", type=float, default=0, help="there and back, in ms")
    for name in ("--cut", "--cut-down"):
        parser.add_argument(name, type=lambda text: [int(part) for part in text.split(",") if part], default=[])
    arguments = parser.parse_args()
    host, port = arguments.server.rsplit(":", 1)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    line = Line(arguments.folder, host, int(port), arguments)
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0, limit=PIECE)
    line.tell()
    (arguments.folder / "address").write_text(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    while True:
        await asyncio.sleep(0.02)
        line.tell()


if __name__ == "__main__":
    asyncio.run(main())
