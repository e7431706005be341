"""How large the inference image is, against one of the original tool's requirements on the same base."""

from benchmarks import images
from benchmarks.report import Report

_MB = 1_000_000


def measure() -> Report:
    """Size of the inference image beside the original tool's.

    Builds all images in this run; layers that did not change come from the engine's cache.
    """
    ours, original = images.build_ours(), images.build_original()
    base_bytes = images.size_bytes(images.BASE)
    original_bytes = images.size_bytes(original)
    rows = []
    for name, image in (
        ("base", images.BASE),
        ("original's requirements", original),
        ("Portico", ours),
    ):
        size = images.size_bytes(image)
        rows.append(
            {
                "image": name,
                "MB": round(size / _MB, 1),
                "MB over base": round((size - base_bytes) / _MB, 1),
                "of original's": round(size / original_bytes, 3),
                "of original's, over base": round((size - base_bytes) / (original_bytes - base_bytes), 3),
            }
        )
    return Report(
        title="Size of the inference image, unpacked",
        rows=rows,
        notes=[f"Base: {images.BASE}, {docker_platform()}. MB are millions of bytes, all layers unpacked."],
    )


def docker_platform() -> str:
    return images.docker("image", "inspect", "--format", "{{.Os}}/{{.Architecture}}", images.BASE).strip()
