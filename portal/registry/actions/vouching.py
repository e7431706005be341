"""Has the bucket say what the database knows: signed manifests of every checked version, signed pointers to live ones.

After an upgrade from a release that did not sign, after a key was lost or exchanged, and after somebody else wrote
there. The database is what counts; nothing is taken from the bucket but the fact that a model lies there.
"""

from portal.gateways import signatures, storage
from portal.registry import states
from portal.registry.actions.checking import sign_manifest
from portal.registry.models import ModelVersion


def vouch_again() -> int:
    """Write what differs. Running it twice changes nothing.

    Returns: how many objects were written
    Raises:  GatewayError
    """
    written = 0
    checked = ModelVersion.objects.filter(state__in=(*states.PASSED, states.ARCHIVED)).exclude(manifest={})
    for version in checked.select_related("model").iterator():
        slug, number = version.model.slug, version.number
        key, document = storage.version_key(slug, number, "manifest.json"), sign_manifest(version, version.manifest)
        there = storage.get_json(key)
        # Without a manifest the bucket has lost the model, and signing would not bring it back.
        if there is None or there.get("sha256") != version.sha256:
            continue
        written += _write(key, document, there)
        if version.is_live:
            pointer = signatures.sign_pointer(slug=slug, number=number, sha256=version.sha256)
            written += _write(storage.live_key(slug), pointer, storage.get_json(storage.live_key(slug)))
    return written


def _write(key: str, document: object, there: object) -> bool:
    if document == there:
        return False
    storage.put_json(key, document)
    return True
