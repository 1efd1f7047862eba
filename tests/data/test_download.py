import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from latentlab.core.errors import Cancelled, InputError
from latentlab.data.download import fetch

BODY = bytes(range(256)) * 2000
MD5 = hashlib.md5(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/absent":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY if self.path == "/good" else BODY[: len(BODY) // 2])

    def log_message(self, *_):
        pass


@pytest.fixture
def host():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_arrives_with_progress(host, tmp_path):
    seen = []
    fetch([f"{host}/good"], tmp_path / "a" / "file.gz", MD5, seen.append, spec="mnist")
    assert (tmp_path / "a" / "file.gz").read_bytes() == BODY
    assert seen[-1].done == seen[-1].total == len(BODY) // 1024
    assert seen[-1].what == "Downloading file.gz (kB)"


def test_a_file_that_is_there_is_not_fetched_again(tmp_path):
    (tmp_path / "file").write_bytes(b"mine")
    fetch(["http://127.0.0.1:9/never"], tmp_path / "file", MD5, lambda _: None, spec="mnist")
    assert (tmp_path / "file").read_bytes() == b"mine"


def test_the_next_mirror_is_tried(host, tmp_path):
    fetch([f"{host}/absent", f"{host}/short", f"{host}/good"], tmp_path / "f", MD5, lambda _: None, spec="mnist")
    assert (tmp_path / "f").read_bytes() == BODY


@pytest.mark.parametrize(("page", "reason"), [("absent", "Not Found"), ("short", "not the published file")])
def test_what_went_wrong_is_said_and_nothing_stays(host, tmp_path, page, reason):
    with pytest.raises(InputError, match=f"celeba could not be downloaded: .*{reason}") as caught:
        fetch([f"{host}/{page}"], tmp_path / "f", MD5, lambda _: None, spec="celeba")
    assert "celeba:DIR" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_cancel_leaves_nothing(host, tmp_path):
    def cancel(_):
        raise Cancelled

    with pytest.raises(Cancelled):
        fetch([f"{host}/good"], tmp_path / "f", MD5, cancel, spec="mnist")
    assert list(tmp_path.iterdir()) == []


def test_nobody_answers(tmp_path):
    with pytest.raises(InputError, match="mnist could not be downloaded: Connection refused"):
        fetch(["http://127.0.0.1:9/x"], tmp_path / "f", MD5, lambda _: None, spec="mnist")
