"""The store of layers: immutable, shared by runs, never emptied below one of them."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from greylag.verification.layers import LayerStore, Lease, disk_usage, is_empty, merge, open_up, prune


@pytest.fixture
def store(tmp_path: Path) -> LayerStore:
    return LayerStore(tmp_path / "store", count=3)


def add(lease: Lease, key: str, text: str = "x") -> Path:
    stage = lease.stage()
    (stage.home / "file").write_text(text)
    (stage.scratch / "work").mkdir(mode=0)
    return lease.add(stage, key).path


def test_layers_are_found_by_key_newest_first_and_hold_only_what_was_left(store: LayerStore) -> None:
    with store.lease() as lease:
        first, second = add(lease, "a"), add(lease, "b")
    with store.lease() as lease:
        assert [layer.path for layer in lease.layers] == [second, first]
        found = lease.find("a")
        assert found
        assert sorted(path.name for path in found.path.iterdir()) == ["home", "workspace"]
        assert (found.home / "file").read_text() == "x"
        assert lease.find("c") is None


def test_what_did_not_become_a_layer_goes_away_with_the_lease(store: LayerStore) -> None:
    with store.lease() as lease:
        stage = lease.stage()
        (stage.home / "locked").mkdir(mode=0)
        assert stage.path.is_dir()
    assert sorted(path.name for path in store.root.iterdir()) == ["lock"]


def test_the_first_of_two_with_one_key_stays(store: LayerStore) -> None:
    with store.lease() as one, store.lease() as two:
        first = add(one, "a", "first")
        assert add(two, "a", "second") == first
    with store.lease() as lease:
        assert [(layer.home / "file").read_text() for layer in lease.layers] == ["first"]


def test_the_least_used_goes_when_there_are_too_many_but_not_from_under_a_run(store: LayerStore) -> None:
    with store.lease() as lease:
        paths = [add(lease, key) for key in "abc"]
    for number, path in enumerate(paths):
        os.utime(path, (number, number))
    with store.lease() as reader:
        with store.lease() as touching:
            touching.find("a")
        with ExitStack() as stack:
            adding = stack.enter_context(store.lease())
            adding.layers = []
            add(adding, "d")
        assert (paths[1] / "home" / "file").exists(), "dropped from the index, but in use"
        assert reader.find("b")
    assert not paths[1].exists()
    with store.lease() as lease:
        assert [layer.key for layer in lease.layers] == ["d", "c", "a"]


def test_a_run_keeps_its_own_layers_beyond_all_bounds(store: LayerStore) -> None:
    tiny = LayerStore(store.root, count=1, size=1)
    with tiny.lease() as lease:
        for key in "abc":
            add(lease, key)
        assert all(layer.path.exists() for layer in lease.layers)
    with tiny.lease() as lease:
        assert len(lease.layers) == 3
    with tiny.lease() as lease:
        lease.layers = []
        add(lease, "d")
    with tiny.lease() as lease:
        assert [layer.key for layer in lease.layers] == ["d"]


def test_many_at_once_do_not_disturb_each_other(store: LayerStore) -> None:
    def work(number: int) -> list[str]:
        with store.lease() as lease:
            add(lease, str(number), str(number))
            return [(layer.home / "file").read_text() for layer in lease.layers if layer.key == str(number)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(24))) == [[str(number)] for number in range(24)]
    with store.lease() as lease:
        paths = {layer.path for layer in lease.layers}
    assert {path for path in store.root.iterdir() if path.is_dir()} == paths


@pytest.mark.parametrize("text", ["", "{", '{"layers": 1}', '{"layers": [{"id": "../../etc", "key": "", "size": 1}]}'])
def test_a_damaged_index_is_an_empty_one(store: LayerStore, text: str) -> None:
    with store.lease() as lease:
        add(lease, "a")
    (store.root / "index.json").write_text(text)
    with store.lease() as lease:
        assert lease.layers == []
        add(lease, "a")
    with store.lease() as lease:
        assert [layer.key for layer in lease.layers] == ["a"]


def test_prune_takes_what_the_tree_has_and_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "kept").write_text("precious")
    (outside / "deep" / "kept").write_text("precious")
    upper = tmp_path / "upper"
    (upper / "src").mkdir(parents=True)
    (upper / "src" / "code").write_text("of another tree")
    (upper / "src" / "made").write_text("by the step")
    (upper / "linked").symlink_to(outside)
    (upper / "free").symlink_to(outside)
    (upper / "file").mkdir()
    (upper / "file" / "x").write_text("a directory in the place of a file")
    (upper / "gone").write_text("a file in the place of a directory")
    prune(upper, ["src/code", "linked/kept", "linked/deep/kept", "file", "gone/x"])
    assert sorted(str(path.relative_to(upper)) for path in upper.rglob("*")) == ["free", "src", "src/made"]
    assert (outside / "kept").read_text() == (outside / "deep" / "kept").read_text() == "precious"


def test_merge_keeps_what_is_there_and_follows_no_link(tmp_path: Path) -> None:
    outside, one, two = (tmp_path / name for name in ("outside", "one", "two"))
    for directory in (outside, one / "both", two / "both", two / "link"):
        directory.mkdir(parents=True)
    (one / "both" / "a").write_text("one")
    (two / "both" / "a").write_text("two")
    (two / "both" / "b").write_text("two")
    (one / "link").symlink_to(outside)
    (two / "link" / "evil").write_text("x")
    merge(two, one)
    assert (one / "both" / "a").read_text() == "one"
    assert (one / "both" / "b").read_text() == "two"
    assert list(outside.iterdir()) == []


def test_marks_that_hide_nothing_are_removed(tmp_path: Path) -> None:
    upper, lower = tmp_path / "upper", tmp_path / "lower"
    for directory in (upper / "new", upper / "replaced", lower / "replaced"):
        directory.mkdir(parents=True)
    try:
        for name in ("new", "replaced"):
            os.setxattr(upper / name, "user.overlay.opaque", b"y")
    except OSError:
        pytest.skip("UNPROVEN HERE: no extended attributes on this file system")
    open_up(upper, [lower])
    assert os.listxattr(upper / "new") == []
    assert os.listxattr(upper / "replaced") == ["user.overlay.opaque"]


def test_sizes_count_no_link(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert is_empty(tmp_path)
    (tmp_path / "a" / "big").write_bytes(b"x" * 1_000_000)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    assert not is_empty(tmp_path)
    assert 1_000_000 <= disk_usage(tmp_path) < 1_200_000


def test_prune_keeps_only_what_a_preparation_may_leave(tmp_path: Path) -> None:
    for name in ("node_modules/a/index.js", "packages/b/node_modules/c/x.js", "dist/main.js", "packages/b/dist/b.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to("/etc")
    prune(tmp_path, ["packages/b/package.json"], ["node_modules/"])
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir())
    assert left == ["node_modules/a/index.js", "packages/b/node_modules/c/x.js"]
    assert not (tmp_path / "dist").exists()
    prune(tmp_path, [], [])
    assert list(tmp_path.iterdir()) == []
