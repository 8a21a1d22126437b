"""Downloads against a loopback server that can be as bad as a real mirror."""

import contextlib
import gzip
import hashlib
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workflow.data.download import FILE, DownloadError, download

CONTENT = os.urandom(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PACKED = gzip.compress(CONTENT, mtime=0)
OTHERWISE_PACKED = gzip.compress(CONTENT, 1, mtime=1)  # the same content from another mirror
HALF = len(PACKED) // 2


class Mirror(BaseHTTPRequestHandler):
    """Serves `server.bodies[path]`; the first segment of the path names its bad habit."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """Keep pytest's output clean."""

    def do_GET(self):
        """Answer one request and note it as (path, Range header)."""
        wanted = self.headers.get("Range")
        self.server.seen.append((self.path, wanted))
        times = sum(path == self.path for path, _ in self.server.seen)
        habit = self.path.split("/")[1]
        if habit == "missing":
            self.send_error(404)
            return
        if habit == "busy" and times == 1:
            self.send_error(500)
            return
        if habit == "endless":  # without a length, until the reader goes away
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(PACKED)
            return
        body = self.server.bodies.get(habit, PACKED)
        if habit == "anywhere":
            wanted = "bytes=7-"  # a cache that answers any range with its own
        start = int(wanted[6:-1]) if wanted and habit != "norange" else 0
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if wanted and habit != "norange" else 200)
        if wanted and habit != "norange":
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        if habit == "encoded":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        stop = HALF if habit == "breaks" and times == 1 else len(body)
        self.wfile.write(body[start:stop])
        self.close_connection = True


@pytest.fixture
def server(monkeypatch):
    """A loopback server; `server.url(habit)` is the address of one mirror."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.seen, server.bodies = [], {}
        server.url = lambda habit: f"http://127.0.0.1:{server.server_port}/{habit}/data.gz"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def target(tmp_path):
    """Where the file goes, in a folder that does not exist yet."""
    return tmp_path / "mnist" / "data.gz"


def part_of(target):
    """The unfinished file beside `target`, in a folder made for it."""
    target.parent.mkdir(exist_ok=True)
    return target.with_name("data.gz.part")


def fetch(urls, target, **options):
    """Download without waiting between retries."""
    download(urls, target, **({"sha256": SHA256, "backoff": 0.0, "timeout": (2, 2)} | options))


def resumed_from(header):
    """The first byte asked for by a Range header."""
    return int(header.removeprefix("bytes=").removesuffix("-"))


def dead_port():
    """The address of a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/data.gz"


def assert_fetched(target, content=PACKED):
    assert target.read_bytes() == content
    assert [path.name for path in target.parent.iterdir()] == ["data.gz"]


def test_good_file(server, target):
    fetch([server.url("good")], target)
    assert_fetched(target)
    assert len(server.seen) == 1


def test_truncated_file_is_resumed(server, target):
    fetch([server.url("breaks")], target)
    assert_fetched(target)
    first, second = (wanted for _, wanted in server.seen)
    assert first is None
    assert 0 < resumed_from(second) <= HALF


def test_truncated_file_is_resumed_by_a_later_process(server, target):
    with pytest.raises(DownloadError, match=r"broke off|IncompleteRead"):
        fetch([server.url("breaks")], target, retries=0)
    kept = part_of(target).read_bytes()
    assert kept
    assert PACKED.startswith(kept)
    assert not target.exists()
    fetch([server.url("good")], target)
    assert_fetched(target)
    assert resumed_from(server.seen[-1][1]) == len(kept)


def test_server_without_range_begins_anew(server, target):
    part_of(target).write_bytes(b"x" * HALF)
    fetch([server.url("norange")], target, retries=0)
    assert_fetched(target)


def test_server_that_answers_another_range(server, target):
    part_of(target).write_bytes(PACKED[:HALF])
    with pytest.raises(DownloadError, match="another range"):
        fetch([server.url("anywhere")], target, retries=0)
    fetch([server.url("anywhere"), server.url("good")], target, retries=0)
    assert_fetched(target)


def test_part_of_another_mirrors_file_is_dropped(server, target):
    part_of(target).write_bytes(OTHERWISE_PACKED[:HALF])
    fetch([server.url("good")], target, retries=0)
    assert_fetched(target)
    assert [wanted for _, wanted in server.seen] == [f"bytes={HALF}-", None]


@pytest.mark.parametrize("part", [PACKED, PACKED + b"more", b"x" * (len(PACKED) + 9)])
def test_part_with_nothing_missing(server, target, part):
    part_of(target).write_bytes(part)
    fetch([server.url("good")], target)
    assert_fetched(target)


def test_wrong_checksum_names_both_digests(server, target):
    server.bodies["other"] = gzip.compress(b"something else")
    with pytest.raises(DownloadError) as caught:
        fetch([server.url("other")], target)
    assert SHA256 in str(caught.value)
    assert hashlib.sha256(b"something else").hexdigest() in str(caught.value)
    assert len(server.seen) == 1  # a wrong file is not asked for again
    assert list(target.parent.iterdir()) == []


def test_wrong_checksum_then_a_good_mirror(server, target):
    server.bodies["login"] = b"<html>Please accept the terms of this network</html>"
    fetch([server.url("login"), server.url("good")], target)
    assert_fetched(target)


def test_damaged_gzip_then_a_good_mirror(server, target):
    server.bodies["short"] = PACKED[:HALF]
    fetch([server.url("short"), server.url("good")], target)
    assert_fetched(target)


def test_content_that_arrives_unpacked_is_accepted(server, target):
    fetch([server.url("encoded")], target)
    assert_fetched(target, CONTENT)


def test_a_digest_of_the_file_takes_no_other_compression(server, target):
    server.bodies["other"] = OTHERWISE_PACKED
    options = {"sha256": hashlib.sha256(PACKED).hexdigest(), "digest_of": FILE}
    with pytest.raises(DownloadError, match="the file has the sha256"):
        fetch([server.url("other")], target, **options)
    fetch([server.url("other"), server.url("good")], target, **options)
    assert_fetched(target)


@pytest.mark.parametrize("habit", ["good", "endless"])
def test_a_mirror_that_sends_too_much_is_cut_off(server, target, habit):
    with pytest.raises(DownloadError, match="it sends more than 100000 bytes"):
        fetch([server.url(habit)], target, limit=100_000)
    assert list(target.parent.iterdir()) == []


def test_dead_mirror_then_a_live_one(server, target):
    fetch([dead_port(), server.url("missing"), server.url("good")], target)
    assert_fetched(target)
    assert len(server.seen) == 2  # a 404 is final


def test_retry_after_a_500(server, target):
    fetch([server.url("busy")], target)
    assert_fetched(target)
    assert len(server.seen) == 2


def test_no_retry_when_none_is_allowed(server, target):
    with pytest.raises(DownloadError, match="HTTP 500 Internal Server Error"):
        fetch([server.url("busy")], target, retries=0)


def test_silent_server_times_out(target):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/data.gz"
        with pytest.raises(DownloadError, match="timed out"):
            fetch([url], target, retries=0, timeout=(0.2, 0.2))


def test_error_lists_every_mirror_and_the_way_by_hand(server, target):
    urls = [dead_port(), server.url("missing"), "no-address"]
    with pytest.raises(DownloadError) as caught:
        fetch(urls, target)
    message = str(caught.value)
    assert all(url in message for url in urls)
    assert "refused" in message
    assert "HTTP 404 Not Found" in message
    assert f"put the file data.gz into the folder {target.parent} by hand" in message


def test_file_already_there_is_left_alone(server, target):
    target.parent.mkdir()
    target.write_bytes(b"the user's own")
    fetch([server.url("good")], target)
    assert target.read_bytes() == b"the user's own"
    assert server.seen == []


def test_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match=r"cannot download to .*file"):
        fetch([server.url("good")], tmp_path / "file" / "data.gz")


def test_two_at_once_fetch_it_once(server, target):
    threads = [
        threading.Thread(target=fetch, args=([server.url("good")], target)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_fetched(target)
    assert len(server.seen) == 1
