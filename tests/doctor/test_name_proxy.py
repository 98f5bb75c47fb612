"""What `doctor` says of the proxy of `names`."""

from supervisor.doctor.finding import Level
from supervisor.doctor.name_proxy import check_names
from supervisor.errors import PortsupError


def test_a_caddy_that_will_do_is_fine() -> None:
    (finding,) = check_names(lambda: "/usr/bin/caddy")
    assert (finding.check, finding.level, finding.what) == ("names", Level.OK, "`/usr/bin/caddy` answers for the names")


def test_without_one_it_says_how_to_get_it() -> None:
    def usable() -> str:
        raise PortsupError("cannot give services names", "there is none", "install it")

    (finding,) = check_names(usable)
    assert (finding.level, finding.what, finding.remedy) == (
        Level.WARNING, "cannot give services names: there is none", "install it"
    )  # fmt: skip
