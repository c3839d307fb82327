"""Images that kimg did not make, as OCI layouts: `python3 foreign_images.py FOLDER` writes FOLDER/NAME, each with the tag `x`.

Each has one thing that copiers stumble over. Nothing of it comes from kimg or from a network.
"""

import gzip
import hashlib
import io
import json
import random
import sys
import tarfile
from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER = (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER)


def digest(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def tar(name, content):
    """A layer of one file; its tar, and that compressed."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        if name:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue(), gzip.compress(file.getvalue(), mtime=0)


def noise(seed, size):
    """Bytes that do not compress, the same each time."""
    return random.Random(seed).randbytes(size)


class Layout:
    def __init__(self, folder):
        self.folder = Path(folder)
        (self.folder / "blobs").mkdir(parents=True)
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.listed = []

    def blob(self, content, media_type, algorithm="sha256", **more):
        name = digest(content, algorithm)
        path = self.path({"digest": name})
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return {"mediaType": media_type, "digest": name, "size": len(content), **more}

    def path(self, descriptor):
        return self.folder / "blobs" / descriptor["digest"].replace(":", "/")

    def json(self, value, media_type, indent=None, algorithm="sha256", **more):
        return self.blob(json.dumps(value, indent=indent).encode(), media_type, algorithm, **more)

    def image(self, tars, architecture="amd64", media_types=(MANIFEST, CONFIG, LAYER), layer="sha256", indent=None, **more):
        """An image of layers: each a pair of a tar and what is kept of it."""
        config = self.json(
            {
                "architecture": architecture,
                "os": "linux",
                "config": {"Cmd": ["/x"], "Env": ["A=b"], "Labels": {"made": "by hand"}},
                "rootfs": {"type": "layers", "diff_ids": [digest(plain) for plain, _ in tars]},
                "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "hand"} for _ in tars],
            },
            media_types[1],
        )
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_types[0],
            "config": config,
            "layers": [self.blob(kept, media_types[2], layer) for _, kept in tars],
            **more,
        }
        return self.json(manifest, media_types[0], indent)

    def index(self, manifests, media_type=INDEX, **more):
        return self.json({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests, **more}, media_type)

    def name(self, descriptor, tag="x"):
        annotations = {"org.opencontainers.image.ref.name": tag} if tag else {}
        self.listed.append({**descriptor, "annotations": annotations} if annotations else descriptor)
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.listed}
        (self.folder / "index.json").write_text(json.dumps(index))


def platform(descriptor, architecture):
    return {**descriptor, "platform": {"architecture": architecture, "os": "linux"}}


def three(seed):
    return [tar(f"{seed}-{number}", noise(f"{seed} {number}", 20_000 * number + 100)) for number in range(3)]


def platforms(layout, names, media_types=(MANIFEST, CONFIG, LAYER)):
    """An image for each architecture; they share a layer."""
    shared = tar("shared", noise("shared", 50_000))
    return [platform(layout.image([shared, *three(name)], name, media_types), name) for name in names]


def artifact(layout, kind, layer, **more):
    """What is no image: an artifact of one blob."""
    config = layout.blob(b"{}", EMPTY, data="e30=")
    return layout.json({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": config, "layers": [layer], **more}, MANIFEST)


def single(layout):
    return layout.image(three("single"))


def odd_bytes(layout):
    """A manifest that no program writes: read and written again, its digest differs."""
    return layout.image(three("odd"), indent=3, annotations={"z": "", "a": "<&>"}, **{"x-unknown": [1.0, 1e2, "\u00e9"]})


def index(layout):
    return layout.index(platforms(layout, ["amd64", "arm64", "s390x"]))


def nested(layout):
    one, other = platforms(layout, ["amd64", "arm64"])
    return layout.index([one, layout.index([other, layout.index([one])])])


def sparse(layout):
    images = platforms(layout, ["amd64", "arm64", "s390x"])
    layout.path(images[2]).unlink()
    return layout.index(images)


def empty_layers(layout):
    """The same empty tar twice, as `ENV` lines once made them."""
    nothing = tar("", b"")
    return layout.image([nothing, tar("a", b"a"), nothing])


def no_layers(layout):
    return layout.image([])


def zero_bytes(layout):
    """An artifact whose only layer has no bytes."""
    return artifact(layout, "application/x.zero", layout.blob(b"", "text/plain"))


def chart(layout):
    title = {"org.opencontainers.image.title": "chart.yaml"}
    return artifact(layout, "application/x.chart", layout.blob(b"name: chart\n", "application/x.chart", annotations=title))


def sha512(layout):
    return layout.image(three("sha512"), layer="sha512")


def schema2(layout):
    return layout.image(three("schema2"), media_types=DOCKER)


def docker_list(layout):
    return layout.index(platforms(layout, ["amd64", "arm64"], DOCKER), DOCKER_LIST)


def mixed_types(layout):
    """An OCI index of a Docker manifest."""
    return layout.index(platforms(layout, ["amd64"], DOCKER))


def uncompressed(layout):
    return layout.image([(plain, plain) for plain, _ in three("plain")], media_types=(MANIFEST, CONFIG, LAYER.removesuffix("+gzip")))


def attested(layout):
    """As BuildKit writes them: the attestation is a manifest of no platform."""
    (image,) = platforms(layout, ["amd64"])
    note = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image["digest"]}
    statement = {**layout.image([tar("statement", b"{}")]), "platform": {"architecture": "unknown", "os": "unknown"}, "annotations": note}
    return layout.index([image, statement])


def foreign_layers(layout):
    """As images of Windows were: the lowest layer is only at an address of its maker's."""
    layers = three("foreign")
    image = layout.image(layers, media_types=DOCKER)
    manifest = json.loads(layout.path(image).read_text())
    layout.path(manifest["layers"][0]).unlink()
    manifest["layers"][0] |= {"mediaType": DOCKER_LAYER.replace("rootfs.diff", "rootfs.foreign.diff"), "urls": ["http://nowhere.example/layer"]}
    return layout.json(manifest, DOCKER_MANIFEST)


def referred(layout):
    """An image and two manifests that have it as their subject."""
    image = layout.image(three("referred"))
    for kind in ("sbom", "signature"):
        layer = layout.blob(kind.encode(), f"text/{kind}")
        layout.name(artifact(layout, f"application/x.{kind}", layer, subject=image), tag=None)
    return image


def torn(layout):
    """A layer is lacking."""
    image, layers = layout.image(three("torn")), three("torn")
    layout.path({"digest": digest(layers[2][1])}).unlink()
    return image


def wrong_bytes(layout):
    """A layer has other bytes of the same length."""
    image, layers = layout.image(three("wrong")), three("wrong")
    path = layout.path({"digest": digest(layers[2][1])})
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    return image


def large(layout):
    """64 MiB in one layer and 8 in each of two: long enough to be killed in."""
    return layout.image([tar(f"large-{number}", noise(f"large {number}", mib << 20)) for number, mib in enumerate([8, 64, 8])])


IMAGES = [single, odd_bytes, index, nested, sparse, empty_layers, no_layers, zero_bytes, chart, sha512, schema2, docker_list]
IMAGES += [mixed_types, uncompressed, attested, foreign_layers, referred, torn, wrong_bytes, large]

if __name__ == "__main__":
    for make in IMAGES:
        layout = Layout(Path(sys.argv[1]) / make.__name__.replace("_", "-"))
        layout.name(make(layout))
