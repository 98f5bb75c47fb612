"""What `make test-portable` runs: the live tests, where the system has nothing that Linux alone has.

Left out are those that need it, each with the reason.
"""

ORPHANS = (
    "nobody hands us a process that has lost its parent, and this one carries no PORTSUP_RUN_ID, or must be reaped"
)
INODES = "sockets are told apart by process and address, and of those who share one only the last is named"
BOUND = "a socket that is bound and nothing else is not told"
WATCH = "a lost lock is noticed by the regular check, every 10 s: tests/live/test_without_linux.py has that"
FAMILY = "whether a socket of `::` takes IPv4 is not told"
SERVICE_SOCKET = "a service socket cannot be bound beneath covers"
ZOMBIE = "psutil takes a process for a zombie whose main thread has ended"
ALONE = "no signal tells a program of the end of its parent: what `exec` runs goes on, and the next start ends it"
HANDOFF = "it is about the handoff"
LINGERS = "connections in TIME_WAIT of a server without SO_REUSEADDR keep the port, which nobody holds in between"
NAMESPACES = "PID namespaces are those of Linux"
MANY = "psutil is asked who listens, however many sockets there are"
STACK = "how little a program with a small stack may be given is a rule of Linux"
EXITS = "a process that exits has no environment any more, and nothing else tells whose it was"
SHORT = "its time limit is shorter than two looks at all sockets by psutil on a busy machine"
PRLIMIT = "the limits of another process are set by prlimit(2), which Linux alone has"

LEFT_OUT = {
    "test_activation.py": SERVICE_SOCKET,
    "test_addresses.py::test_probes_and_urls_follow_the_address_that_was_bound[:: v6only": FAMILY,
    "test_addresses.py::test_a_service_is_asked_where_its_next_process_listens": LINGERS,
    "test_adversity_trees.py::test_a_program_whose_main_thread_ends_is_a_service_like_any_other": ZOMBIE,
    "test_backgrounded.py": ORPHANS,
    "test_crashes.py::test_both_killed_at_once_leave_nothing_that_the_next_up_does_not_find": ALONE,
    "test_doctor.py::test_strangers_on_the_pool_are_named": BOUND,
    "test_errands.py::test_a_hook_leaves_nobody": ORPHANS,
    "test_errands.py::test_a_command_of_on_change_leaves_nobody": ORPHANS,
    "test_errands.py::test_each_health_check_ends_with_what_it_leaves": ORPHANS,
    "test_errands.py::test_the_command_that_tells_of_readiness_leaves_nobody": ORPHANS,
    "test_binds_alone.py::test_with_the_handoff_it_keeps_its_port": LINGERS,
    "test_children.py::test_many_processes_that_fork_on_and_on_are_all_ended": ORPHANS,
    "test_children.py::test_one_that_listens_on_another_port_is_told_both_ports_and_what_to_do": SHORT,
    "test_children.py::test_the_next_process_begins_once_the_workers_of_the_last_have_given_back_what_they_had": EXITS,
    "test_health.py::test_a_service_that_answers_wrongly_is_not_ready_and_the_answer_is_told": SHORT,
    "test_heirs.py": ORPHANS,
    "test_hostile_services.py::test_spare_ports_held_by_sockets_in_flight_hold_up_nobody": BOUND,
    "test_limits.py::test_another_user_gets_the_port_as_ever": HANDOFF,
    "test_limits.py::test_a_program_with_little_room_for_variables_starts_with_the_addresses_that_it_needs": STACK,
    "test_locks.py": WATCH,
    "test_many_sockets.py": MANY,
    "test_namespaces.py": NAMESPACES,
    "test_newcomer.py::test_an_ecosystem_of_pm2_with_a_cluster": HANDOFF,
    "test_notify.py::test_another_process_of_its_tree_may_stand_for_it": ORPHANS,
    "test_resources.py::test_a_service_is_its_whole_tree_with_every_socket": INODES,
    "test_scarce.py": PRLIMIT,
    "test_signals_alone.py::test_what_nobody_catches_ends_the_program_too": ALONE,
    "test_survivors.py": ORPHANS,
    "test_ways.py": HANDOFF,
}


def why_left_out(test: str) -> str:
    """The reason why a test is not run without Linux, by its id; "" for one that is."""
    name = test.rpartition("tests/live/")[2]
    return next((why for begin, why in LEFT_OUT.items() if name.startswith(begin)), "")
