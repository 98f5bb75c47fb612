"""`success_exit_codes`: how they are written."""

from .conftest import Loading, Mistakes
from .test_mistakes import it


def test_exit_codes_are_a_list_of_whole_numbers(mistakes: Mistakes, loading: Loading) -> None:
    what = "5:25 services.it.success_exit_codes"
    assert mistakes(it("success_exit_codes: 3")) == [
        "5:25 services.it.success_exit_codes: expected a list of exit codes such as [3, 75], found `3` (write `[3]`)"
    ]
    assert mistakes(it("success_exit_codes: [256, SIGTERM]")) == [
        f"5:26 {what[5:]}[0]: `256` is too large: at most 255",
        f"5:31 {what[5:]}[1]: `SIGTERM` is not a whole number",
    ]
    assert mistakes(it("exitcodes: [3]")) == [
        "5:5 services.it: unknown key `exitcodes` (write `success_exit_codes: [3]`)"
    ]
    assert loading(it("success_exit_codes: [3, 3]")).services["it"].success_exit_codes == {0, 3}
