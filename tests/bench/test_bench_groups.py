"""The epochs that are compared have the same atoms."""

import pytest

from bench.groups import forms
from groupsparse.groups import group_size_of


@pytest.mark.parametrize(("count", "d"), [(10, 2), (5, 3), (4, 1)])
def test_every_form_has_as_many_groups_and_atoms(count, d):
    for form in forms(count, d).values():
        assert group_size_of(form, count * d)
        assert not hasattr(form, "count") or form.count == count
