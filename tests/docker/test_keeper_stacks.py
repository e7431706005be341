import logging
from dataclasses import replace

import pytest
from keeper.folder import KeptFolder
from keeper.stacks import KeptStack, StackShelf

STACK = KeptStack(
    "000000000000", "us-east-1", "shop", "{}", {"P": "x"}, ["CAPABILITY_IAM"], [{"Key": "a", "Value": "b"}]
)


def test_the_last_template_counts_and_the_first_day(folder: KeptFolder):
    shelf = StackShelf(folder)
    shelf.keep(STACK)
    shelf.keep(replace(STACK, name="later"))
    first = shelf.list_stacks()[0].first_kept

    shelf.keep(replace(STACK, template='{"new": 1}'))

    again, later = shelf.list_stacks()
    assert again == replace(STACK, template='{"new": 1}', first_kept=first)
    assert later.name == "later"


def test_a_stack_is_told_from_its_namesakes(folder: KeptFolder):
    shelf = StackShelf(folder)
    shelf.keep(STACK)
    shelf.keep(replace(STACK, region="eu-west-1"))

    shelf.forget(STACK.account, STACK.region, STACK.name)
    shelf.forget(STACK.account, STACK.region, "never there")

    assert [stack.region for stack in shelf.list_stacks()] == ["eu-west-1"]


def test_an_unreadable_stack_is_logged_skipped_and_left_alone(folder: KeptFolder, caplog: pytest.LogCaptureFixture):
    shelf = StackShelf(folder)
    shelf.keep(STACK)
    torn = folder.root / "stacks" / "torn.json"
    torn.write_text('{"name": "x"}')

    with caplog.at_level(logging.ERROR):
        found = shelf.list_stacks()

    assert [stack.name for stack in found] == ["shop"]
    assert torn.exists()
    assert "torn.json cannot be read" in caplog.text
