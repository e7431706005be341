import re

from image_lambda.owner import OWNER_LABEL, network_named, owner_of

COMPOSE = {
    "com.docker.compose.project": "portico",
    "com.docker.compose.service": "localstack",
    "com.docker.compose.container-number": "1",
    "com.docker.compose.config-hash": "abc",
}


def container(labels: dict[str, str] | None) -> dict[str, object]:
    return {"Name": "/portico_localstack_1", "Config": {"Labels": labels}}


def test_composed_localstack_owns_by_project_service_and_number() -> None:
    assert owner_of(container(COMPOSE)).name == "portico/localstack/1"


def test_localstack_of_its_own_owns_by_its_containers_name() -> None:
    assert owner_of(container(None)).name == "portico_localstack_1"


def test_functions_of_a_composed_localstack_are_one_off_containers_of_the_project() -> None:
    labels = owner_of(container(COMPOSE)).labels("fn")

    assert labels["com.docker.compose.project"] == "portico"
    assert labels["com.docker.compose.oneoff"] == "True"


def test_functions_of_a_localstack_of_its_own_have_no_compose_labels() -> None:
    assert owner_of(container({})).labels("fn") == {
        OWNER_LABEL: "portico_localstack_1",
        "image-lambda.function": "fn",
    }


def test_container_names_read_well_and_differ() -> None:
    owner = owner_of(container(COMPOSE))

    names = {owner.container_name("portico-local-predict") for _ in range(20)}

    assert len(names) == 20
    assert all(re.fullmatch(r"portico-local-predict-[0-9a-f]{8}", name) for name in names)


def test_network_is_found_by_compose_s_name_for_it_and_by_its_own() -> None:
    own = {"Config": {"Labels": COMPOSE}, "NetworkSettings": {"Networks": {"portico_functions": {}, "other": {}}}}

    assert network_named("functions", own) == "portico_functions"
    assert network_named("other", own) == "other"
    assert network_named("nowhere", own) is None
