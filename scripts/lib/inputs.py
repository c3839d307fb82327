"""The inputs of an image's locks, by the paths at which a mirror serves them."""

LOCKS = ("images/base/bookworm.lock.toml", "images/kafka/3.5.2.lock.toml")


def inputs_by_path(root, downloads, platform="linux/amd64"):
    """`KIND/PATH` -> the file in a store's download cache, of those that are there."""
    found = {}
    for lock in LOCKS:
        for table in (root / lock).read_text().split("\n\n"):
            lines = table.strip().splitlines()
            entry = dict(line.split(" = ", 1) for line in lines if " = " in line)
            entry = {key: value.strip('"') for key, value in entry.items()}
            if lines[0] == "[[input]]":
                upstream = entry["upstream"]
            elif lines[0] != "[input.signature]":
                continue
            file = downloads / "sha256" / entry["sha256"]
            if entry.get("platform", platform) == platform and file.exists():
                found[f"{upstream}/{entry['path']}"] = file
    return found
