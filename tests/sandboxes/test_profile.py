"""Which files of the machine a sandbox has."""

from pathlib import Path

from greylag.sandboxes import _profile


def test_settings_of_php_are_inside_only_if_they_load_an_extension_and_say_nothing_else(tmp_path: Path) -> None:
    available, enabled = tmp_path / "php/8.2/mods-available", tmp_path / "php/8.2/cli/conf.d"
    available.mkdir(parents=True)
    enabled.mkdir(parents=True)
    for name, text in {
        "dom": "; configuration for php xml module\n; priority=15\nextension=dom.so\n",
        "opcache": "zend_extension=opcache.so\n",
        "monitor": 'extension=monitor.so\nmonitor.license="0123456789"\n',
    }.items():
        (available / f"{name}.ini").write_text(text)
        (enabled / f"20-{name}.ini").symlink_to(available / f"{name}.ini")
    outside = tmp_path.parent / "outside.ini"
    outside.write_text("extension=a.so\n")
    (enabled / "30-outside.ini").symlink_to(outside)
    found = {path.name for path in _profile._extensions(tmp_path)}
    assert found == {"dom.ini", "20-dom.ini", "opcache.ini", "20-opcache.ini"}
