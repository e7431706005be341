"""The store: swaps are picked up, old bytes never answer for new ones, and nothing unchecked is loaded."""

import pytest

from predictor import bucket, keys
from predictor.errors import ChecksumMismatch, ModelBroken, UnknownModel
from tests.predictor.factories import array_model, dump, forest, make_live, original_bytes, publish, write_manifest


def test_get_live_version_swapped_is_picked_up_within_two_seconds(store, clock):
    publish(array_model(), slug="m", version=1)
    publish(forest(), slug="m", version=2, live=False)
    first, _ = store.get("m")
    make_live("m", 2, publish(forest(), slug="m", version=2, live=False)["sha256"])

    clock.now += 1.9
    second, _ = store.get("m")

    assert (first.version, second.version) == (1, 2)


def test_get_live_version_is_not_looked_up_on_each_request(store, clock):
    publish(array_model(), slug="m", version=1)
    store.get("m")
    make_live("m", 2, "0" * 64)

    clock.now += 1.4
    model, start = store.get("m")

    assert (model.version, start) == (1, "warm")


def test_get_after_rollback_answers_from_the_old_version(store, clock):
    one = publish(array_model(), slug="m", version=1)
    publish(forest(), slug="m", version=2)
    store.get("m")
    make_live("m", 1, one["sha256"])

    clock.now += 5
    model, _ = store.get("m")

    assert model.version == 1


def test_get_pinned_version_ignores_the_live_pointer(store):
    publish(array_model(), slug="m", version=1)
    publish(forest(), slug="m", version=2)

    model, _ = store.get("m", 1)

    assert model.version == 1


def test_get_model_held_during_a_swap_still_answers_as_before(store, clock):
    publish(array_model(), slug="m", version=1)
    held, _ = store.get("m")
    before = held.engine.predict([[0.1], [0.2], [0.3]])
    publish(forest(), slug="m", version=2)
    clock.now += 5
    store.get("m")

    after = held.engine.predict([[0.1], [0.2], [0.3]])

    assert after == before


def test_get_file_of_other_bytes_refused_before_loading(store, monkeypatch):
    publish(array_model(), slug="m")
    bucket.write("models/m/1/model.pkl", dump(forest()), content_type="application/octet-stream")
    monkeypatch.setattr("predictor.full_models.load", _must_not_run)

    with pytest.raises(ChecksumMismatch):
        store.get("m")


def test_get_live_pointer_of_other_checksum_refused(store):
    publish(array_model(), slug="m")
    make_live("m", 1, "0" * 64)

    with pytest.raises(ChecksumMismatch):
        store.get("m")


def test_get_model_without_live_version_is_unknown(store):
    publish(array_model(), slug="m", live=False)

    with pytest.raises(UnknownModel):
        store.get("m")


def test_get_file_that_is_gone_is_a_broken_model(store):
    publish(array_model(), slug="m")
    bucket.client().delete_object(Bucket=bucket.name(), Key="models/m/1/model.pkl")

    with pytest.raises(ModelBroken, match="no longer in the bucket"):
        store.get("m")


def test_get_manifest_naming_another_file_is_refused(store):
    manifest = publish(array_model(), slug="m")
    write_manifest({**manifest, "file": "../../other/1/model.pkl"}, slug="m")

    with pytest.raises(ModelBroken, match="names no model file"):
        store.get("m")


def test_get_beyond_the_room_lets_go_of_the_least_used(store, monkeypatch):
    for version in (1, 2, 3):
        publish(array_model([0, version]), slug="m", version=version)
    monkeypatch.setenv("PORTICO_MODEL_CACHE_BYTES", str(2 * len(dump(array_model())) + 100))
    for version in (1, 2, 1, 3):
        store.get("m", version)

    starts = {version: store.get("m", version)[1] for version in (3, 1, 2)}

    assert starts == {3: "warm", 1: "warm", 2: "cold"}


def test_get_again_gives_the_model_that_was_got_last_and_no_other(store):
    sha256 = publish(array_model(), slug="m", version=1)["sha256"]
    publish(forest(), slug="n", version=1)
    model, _ = store.get("m", 1)

    assert store.get_again("m", 1, None) is store.get_again("m", 1, sha256) is model
    assert store.get_again("n", 1, None) is None
    store.get("n", 1)
    assert store.get_again("m", 1, None) is None


@pytest.mark.parametrize(
    ("slug", "version", "sha256"),
    [
        ("m", 2, None), ("m", None, None), ("m", True, None), ("m", 1.0, None), ("m", "1", None), ("M", 1, None),
        (["m"], 1, None), (None, 1, None), ("m", 1, "0" * 64), ("m", 1, ["a"]), ("m", 1, ""),
    ],
)  # fmt: skip
def test_get_again_what_is_not_named_as_before_is_left_to_be_checked(store, slug, version, sha256):
    publish(array_model(), slug="m", version=1)
    store.get("m", 1)

    assert store.get_again(slug, version, sha256) is None


def test_get_drop_in_where_there_is_none_is_none(store):
    assert store.get_drop_in() is None


def test_get_drop_in_overwritten_is_picked_up_within_two_seconds(store, clock):
    _drop_in(original_bytes())
    first, _ = store.get_drop_in()
    _drop_in(dump(array_model()))

    clock.now += 1.9
    second, start = store.get_drop_in()

    assert [feature.name for feature in first.features] == ["var_1", "var_2", "var_3", "var_4"]
    assert [feature.name for feature in second.features] == ["x0", "x1", "x2"]
    assert start == "cold"


def test_get_drop_in_unchanged_is_not_loaded_again(store, clock):
    _drop_in(original_bytes())
    first, _ = store.get_drop_in()

    clock.now += 60
    second, start = store.get_drop_in()

    assert second is first
    assert start == "warm"


def test_get_drop_in_taken_away_is_none_again(store, clock):
    _drop_in(original_bytes())
    store.get_drop_in()
    bucket.client().delete_object(Bucket=bucket.name(), Key=keys.DROP_IN_KEY)

    clock.now += 1.9

    assert store.get_drop_in() is None


def test_get_drop_in_that_does_not_load_is_broken(store):
    _drop_in(b"junk")

    with pytest.raises(ModelBroken):
        store.get_drop_in()


def _drop_in(body: bytes) -> None:
    bucket.write(keys.DROP_IN_KEY, body, content_type="application/octet-stream")


def _must_not_run(*_: object) -> None:
    raise AssertionError("loaded before the check")
