"""The log: one JSON line a record, nothing that breaks a line, files that stay bounded."""

import json
import logging

from moorage.gateway.log import BACKUPS, GatheredFile, JsonLines, Text


def a_record(message, *, level=logging.INFO, **members):
    made = logging.LogRecord("moorage.test", level, "file", 1, message, (), None)
    for name, value in members.items():
        setattr(made, name, value)
    return made


def test_a_record_is_one_json_object_a_line():
    line = JsonLines().format(a_record("two\nlines \x1b[31m", request_id="r1", milliseconds=1.5))
    assert "\n" not in line
    told = json.loads(line)
    assert (told["message"], told["request_id"]) == ("two\nlines \x1b[31m", "r1")
    assert told["milliseconds"] == 1.5


def test_text_for_people_shows_no_control_characters():
    line = Text().format(a_record("two\nlines \x1b[31m", code="ok"))
    assert "\\x0a" in line
    assert "\x1b" not in line
    assert line.endswith("ok")


def a_file(tmp_path, bytes_max=10_000):
    made = GatheredFile(tmp_path / "server.log", bytes_max)
    made.setFormatter(JsonLines())
    return made


def test_everything_is_written_when_the_log_closes(tmp_path):
    log = a_file(tmp_path)
    for number in range(50):
        log.emit(a_record(f"line {number}"))
    log.close()
    lines = (tmp_path / "server.log").read_text().splitlines()
    assert [json.loads(line)["message"] for line in lines] == [f"line {n}" for n in range(50)]


def test_an_error_is_written_before_anything_else_happens(tmp_path):
    log = a_file(tmp_path)
    log.emit(a_record("bad", level=logging.ERROR))
    assert "bad" in (tmp_path / "server.log").read_text()
    log.close()


def test_files_are_turned_over_and_bounded(tmp_path):
    log = a_file(tmp_path, bytes_max=2000)
    for _ in range(200):
        log.emit(a_record("x" * 100, level=logging.ERROR))
    log.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) == 1 + BACKUPS
    assert all(file.stat().st_size <= 2000 for file in files)


def test_a_log_that_was_there_is_gone_on_with(tmp_path):
    (tmp_path / "server.log").write_text("before\n")
    log = a_file(tmp_path)
    log.emit(a_record("after"))
    log.close()
    assert (tmp_path / "server.log").read_text().startswith("before\n")
