import io
import multiprocessing
import tarfile
import time
import zipfile
from concurrent.futures import ProcessPoolExecutor

import pytest

from backbeat.datasets import archives
from backbeat.datasets.archives import is_archive, list_archive
from backbeat.datasets.source import MAX_FILE_BYTES, Source
from backbeat.errors import InputError
from tests.datasets.here import midi

TARS = {"all.tar": "w", "all.tar.gz": "w:gz", "all.TGZ": "w:gz", "all.tar.xz": "w:xz", "all.tar.bz2": "w:bz2"}
MEMBERS = {"b/z.mid": midi(38), "b/cover.jpg": b"jpg", "a.MID": midi(36), "../../evil.mid": midi(42), "/etc/x.kar": midi(46)}


def add(archive, name, data=b"", **settings):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in settings.items():
        setattr(info, key, value)
    archive.addfile(info, io.BytesIO(data))


def write(path, members=MEMBERS):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(path, TARS[path.name]) as archive:
            for name, data in members.items():
                add(archive, name, data)
    return path


@pytest.mark.parametrize("name", ["all.zip", *TARS])
def test_members_are_read_without_unpacking(name, tmp_path):
    sources = list(list_archive(write(tmp_path / name)))
    assert {s.name: s.read() for s in sources} == {n: d for n, d in MEMBERS.items() if n != "b/cover.jpg"}
    assert {s.path for s in sources} == {str(tmp_path / name)}
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "in_order"), [("all.zip", True), ("all.tar", True), ("all.tar.gz", False)])
def test_the_order_is_by_name_but_that_of_a_compressed_tar(name, in_order, tmp_path):
    names = [s.name for s in list_archive(write(tmp_path / name))]
    assert names == (sorted(names) if in_order else ["b/z.mid", "a.MID", "../../evil.mid", "/etc/x.kar"])


@pytest.mark.parametrize("name", ["all.zip", *TARS])
def test_any_order_of_reading_gives_the_same(name, tmp_path):
    sources = list(list_archive(write(tmp_path / name)))
    forwards = [s.read() for s in sources]
    assert [s.read() for s in reversed(sources)] == forwards[::-1]


@pytest.mark.parametrize("name", ["all.zip", "all.tar", "all.tar.gz"])
@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_processes_do_not_share_a_place_in_the_archive(name, tmp_path):
    members = {f"{i:03}.mid": midi(*[i % 100] * (i % 7 + 1)) for i in range(300)}
    sources = list(list_archive(write(tmp_path / name, members)))
    sources[0].read()  # the archive is open here before the others are made
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("fork")) as pool:
        assert list(pool.map(Source.read, sources)) == list(members.values())


def test_reading_a_compressed_tar_in_order_decompresses_it_once(tmp_path, monkeypatch):
    sources = list(list_archive(write(tmp_path / "all.tar.xz", {f"{i:05}.mid": midi(36) * 40 for i in range(3000)})))
    archives._open_tar.cache_clear()
    started = time.process_time()
    assert all(s.read() == midi(36) * 40 for s in sources)
    assert time.process_time() - started < 2  # starting again each time takes minutes
    assert archives._open_tar.cache_info().misses == 1


@pytest.mark.parametrize("name", ["all.zip", "all.tar"])
def test_an_archive_that_changes_is_opened_anew(name, tmp_path):
    (first,) = list_archive(write(tmp_path / name, {"a.mid": midi(36)}))
    assert first.read() == midi(36)
    (second,) = list_archive(write(tmp_path / name, {"a.mid": midi(38, 40)}))
    assert second.read() == midi(38, 40)


def test_a_name_that_occurs_twice_counts_once_the_last(tmp_path):
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        add(archive, "a.mid", midi(36))
        add(archive, "a.mid", midi(38))
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.mid", midi(36))
        archive.writestr("a.mid", midi(38))
    for name in ("all.tar", "all.zip"):
        assert [s.read() for s in list_archive(tmp_path / name)] == [midi(38)]


def test_links_and_folders_in_a_tar(tmp_path):
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        add(archive, "d.mid", type=tarfile.DIRTYPE)
        add(archive, "d.mid/a.mid", midi(36))
        add(archive, "same.mid", type=tarfile.LNKTYPE, linkname="d.mid/a.mid")
        add(archive, "outside.mid", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(archive, "device.mid", type=tarfile.CHRTYPE)
    assert {s.name: s.read() for s in list_archive(tmp_path / "all.tar")} == {"d.mid/a.mid": midi(36), "same.mid": midi(36)}


def test_a_bomb_in_a_zip_is_refused_when_read_and_not_inflated(tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.mid", "w") as member:
        for _ in range((MAX_FILE_BYTES >> 20) + 8):
            member.write(bytes(1 << 20))
    (source,) = list_archive(tmp_path / "all.zip")
    started = time.process_time()
    with pytest.raises(InputError, match=r"bomb.mid is larger than the 64 MB that are read"):
        source.read()
    assert time.process_time() - started < 0.05


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path):
    write(tmp_path / "all.zip", {"a.mid": bytes(100_000)})
    data = bytearray((tmp_path / "all.zip").read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    assert int.from_bytes(data[at : at + 4], "little") == 100_000
    data[at : at + 4] = (10).to_bytes(4, "little")
    (tmp_path / "all.zip").write_bytes(data)
    (source,) = list_archive(tmp_path / "all.zip")
    with pytest.raises(InputError, match=r"a.mid cannot be unpacked"):
        source.read()


def test_a_bomb_in_a_tar_is_refused_when_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 10_000)
    write(tmp_path / "all.tar.gz", {"a.mid": midi(36), "bomb.mid": bytes(20_000)})
    good, bomb = list_archive(tmp_path / "all.tar.gz")
    assert good.read() == midi(36)
    with pytest.raises(InputError, match=r"bomb.mid is larger than"):
        bomb.read()


def test_a_header_of_a_tar_that_claims_to_be_huge_is_refused(tmp_path):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 10 * MAX_FILE_BYTES
    (tmp_path / "all.tar").write_bytes(info.tobuf() + bytes(10_000))
    with pytest.raises(InputError, match="claims to have more bytes"):
        list(list_archive(tmp_path / "all.tar"))


@pytest.mark.parametrize("name", ["all.zip", *TARS])
def test_a_cut_archive_says_so_and_does_not_lose_members_silently(name, tmp_path):
    path = write(tmp_path / name, {f"{i}.mid": bytes([i]) * 3000 for i in range(9)})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 5])
    with pytest.raises(InputError, match=rf"{name}: not an archive, or a damaged one \(.*\): get it again"):
        list(list_archive(path))


def test_junk_between_members_of_a_tar_is_not_taken_for_the_end(tmp_path):
    path = write(tmp_path / "all.tar", {f"{i}.mid": bytes(100) for i in range(4)})
    data = bytearray(path.read_bytes())
    data[2048:2560] = b"junk" * 128  # the third header
    path.write_bytes(data)
    with pytest.raises(InputError, match="no member starts at byte 2048"):
        list(list_archive(path))


@pytest.mark.parametrize("name", ["all.zip", "all.tar", "all.tar.xz"])
@pytest.mark.parametrize("data", [b"", b"not an archive at all" * 100])
def test_what_is_no_archive_is_refused(name, data, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=f"{name}: not an archive"):
        list(list_archive(tmp_path / name))


def test_a_locked_zip_and_a_member_that_is_gone_say_so(tmp_path):
    write(tmp_path / "all.zip", {"a.mid": midi(36)})
    data = bytearray((tmp_path / "all.zip").read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    data[6] |= 1
    (tmp_path / "all.zip").write_bytes(data)
    (source,) = list_archive(tmp_path / "all.zip")
    with pytest.raises(InputError, match=r"a.mid cannot be unpacked \(.*encrypted"):
        source.read()
    write(tmp_path / "all.zip", {"b.mid": midi(36)})
    with pytest.raises(InputError, match="no member 'a.mid' any more"):
        source.read()
    (tmp_path / "all.zip").unlink()
    with pytest.raises(InputError, match=r"a.mid cannot be unpacked \(.*No such file"):
        source.read()


def test_archives_by_name():
    assert all(map(is_archive, ["a.zip", "a.tar", "A.TAR.GZ", "a.tgz", "a.tar.xz", "a.tar.bz2"]))
    assert not any(map(is_archive, ["a.gz", "a.rar", "a.7z", "zip", "a.mid.xz"]))
