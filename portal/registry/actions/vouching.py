"""Has the bucket say what the database knows: signed manifests of every checked version, signed pointers to live ones,
and their published pages.

After an upgrade from a release that did not sign, after a key was lost or exchanged, and after somebody else wrote
there. The database is what counts; nothing is taken from the bucket but the fact that a model lies there.
"""

from portal.gateways import storage
from portal.registry import states
from portal.registry.actions import publishing
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
            pointer, key = publishing.pointer_of(version), storage.live_key(slug)
            written += _write(key, pointer, storage.get_json(key))
            written += publishing.write_page(version.model, there=storage.get_json(storage.page_key(slug)))
    index = storage.get_json(storage.PAGES_INDEX_KEY)
    if index is not None or ModelVersion.objects.filter(state=states.LIVE).exists():
        written += publishing.write_index(there=index)
    return written


def _write(key: str, document: object, there: object) -> bool:
    if document == there:
        return False
    storage.put_json(key, document)
    return True
